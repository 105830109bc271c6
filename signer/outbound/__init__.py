"""The only way out over HTTP: one exchange with one address, capped, timed, and only with whom the house may ask."""

from signer.outbound.addresses import OPERATORS, AddressRefused, NotReached, Reach, tenants
from signer.outbound.client import MOST_BYTES, TOTAL_S, Answer, Client

__all__ = [
    "MOST_BYTES",
    "OPERATORS",
    "TOTAL_S",
    "AddressRefused",
    "Answer",
    "Client",
    "NotReached",
    "Reach",
    "tenants",
]
