"""Attack -> what is answered. Each is made by the file of its name in `made/`, from a file sealed just before."""

from __future__ import annotations

from signer.domain.verdict import Code

EXPECTED: dict[str, tuple[Code, ...]] = {
    # the bytes are changed
    "byte_flipped": (Code.ALTERED,),
    "header_broken": (Code.UNREADABLE,),
    "byte_appended": (Code.ALTERED,),
    "cut_off": (Code.ALTERED,),
    "row_hidden": (Code.ALTERED,),
    "page_removed": (Code.ALTERED,),
    "info_changed": (Code.ALTERED,),
    "xmp_changed": (Code.ALTERED,),
    "action_added": (Code.ALTERED,),
    "attachment_swapped": (Code.ALTERED,),
    "second_signature": (Code.ALTERED,),
    "dss_appended": (Code.ALTERED,),
    "linearized": (Code.ALTERED,),
    "saved_again": (Code.ALTERED,),
    "bytes_prepended": (Code.ALTERED,),
    "polyglot_before": (Code.UNREADABLE,),
    "polyglot_after": (Code.ALTERED,),
    # a revision is appended, as any editor does, or as none does
    "incremental_saving": (Code.ALTERED,),
    "incremental_saving_copied_signature": (Code.ALTERED,),
    "incremental_saving_by_streams": (Code.ALTERED,),
    "incremental_saving_trailers": (Code.ALTERED, Code.UNSEALED),  # unsealed: its table skips the one of the seal
    "evil_annotation": (Code.ALTERED,),
    "sneaky_signature": (Code.ALTERED,),
    "certified_otherwise": (Code.ALTERED,),
    "second_seal": (Code.ALTERED,),
    "attachment_doubled": (Code.ALTERED,),
    "dss_stripped": (Code.ALTERED,),
    "seal_taken_out_of_its_field": (Code.UNSEALED,),
    # prepared before it was sealed, by the listed key outside the service: not registered until it is altered
    "shadow_hide": (Code.NOT_REGISTERED, Code.ALTERED),
    "shadow_replace": (Code.NOT_REGISTERED, Code.ALTERED),
    "shadow_hide_and_replace": (Code.NOT_REGISTERED, Code.ALTERED),
    # the seal's own bytes, which no signature covers
    "contents_padding": (Code.ALTERED,),
    "contents_hex_case": (Code.ALTERED,),
    "byte_range_tricks": (Code.ALTERED,),
    "timestamp_removed": (Code.NOT_REGISTERED,),
    "universal_forgery": (Code.ALTERED,),
    "value_referenced": (Code.ALTERED,),
    "signature_respelt": (Code.ALTERED, Code.NOT_REGISTERED),  # the second: right in itself, and not what was issued
    "signature_wrapping": (Code.ALTERED,),
    "value_not_der": (Code.ALTERED,),
    "wrong_key": (Code.ALTERED,),
    "certificate_substituted": (Code.ALTERED,),
    "timestamp_broken": (Code.ALTERED,),
    "weak_algorithms": (Code.ALTERED,),
    "pss_of_unequal_hashes": (Code.ALTERED,),
    "several_signers": (Code.ALTERED,),
    "content_embedded": (Code.ALTERED,),
    "unsigned_attributes": (Code.ALTERED,),
    "certificates_by_the_thousand": (Code.ALTERED,),
    "cross_certificates": (Code.ALTERED, Code.UNKNOWN_SEAL),  # unknown: few enough for the form, and not listed
    # what follows the seal is nearly an archive revision
    "archive_bytes_flipped": (Code.ALTERED, Code.UNSEALED),
    "archive_can_be_seen": (Code.ALTERED,),
    "archive_changes_annotations": (Code.ALTERED,),
    "archive_changes_catalogue": (Code.ALTERED,),
    "archive_changes_dss": (Code.ALTERED,),
    "archive_changes_form": (Code.ALTERED,),
    "archive_extra_object": (Code.ALTERED,),
    "archive_holds_a_signature": (Code.ALTERED,),
    "archive_not_covering": (Code.ALTERED,),
    "archive_of_an_altered_file": (Code.ALTERED,),
    "archive_redefines_content": (Code.ALTERED,),
    "archive_rewrites_metadata": (Code.ALTERED,),
    "archive_skips_the_seal": (Code.ALTERED, Code.UNSEALED),
    "archive_thirteen_times": (Code.ALTERED,),
    "archive_token_flipped": (Code.ALTERED,),
    "archive_token_of_another_file": (Code.ALTERED,),
    "archive_two_timestamps": (Code.ALTERED,),
    "archive_without_timestamp": (Code.ALTERED,),
    # a seal from elsewhere
    "seal_transplanted": (Code.ALTERED,),
    "seal_appended_to_another_page": (Code.ALTERED,),
    "foreign_authority_same_names": (Code.UNKNOWN_SEAL,),
    "other_manufacturers_seal": (Code.UNKNOWN_SEAL,),
    "unlisted_certificate": (Code.UNKNOWN_SEAL,),
    "certificate_of_the_same_key": (Code.UNKNOWN_SEAL,),
    "seal_revoked": (Code.SEAL_REVOKED,),
    "seal_expired": (Code.UNKNOWN_SEAL, Code.NOT_REGISTERED),  # the second: dated back, and nothing tells when
    "log_proof_not_its_own": (Code.NOT_REGISTERED, Code.ALTERED),
    "page_unlike_attachment": (Code.NOT_REGISTERED,),
    "key_used_outside": (Code.NOT_REGISTERED,),
    "content_swapped_and_resealed": (Code.NOT_REGISTERED,),
    "dss_with_foreign_certificate": (Code.ALTERED,),
    "dss_says_revoked": (Code.SEAL_REVOKED,),
    # no seal at all
    "homemade_with_a_real_number": (Code.UNSEALED,),
    "seal_removed": (Code.UNSEALED,),
    "printed_and_scanned": (Code.UNREADABLE, Code.UNSEALED),  # so coarse that no code on it can be read
    "encrypted": (Code.UNREADABLE, Code.ALTERED),  # altered: it only says that it is, in a spelling of its own
    "zipped": (Code.UNREADABLE,),
    # made to hurt the reader
    "huge_size": (Code.ALTERED,),
    "many_startxref": (Code.ALTERED,),
    "deep_nesting": (Code.ALTERED,),
    "looping_references": (Code.ALTERED,),
    "huge_value": (Code.ALTERED,),
    "revisions_by_the_thousand": (Code.ALTERED,),
    "fields_by_the_thousand": (Code.ALTERED,),
    "streams_that_explode": (Code.ALTERED,),
    "tables_that_explode": (Code.ALTERED,),
    "walks_in_circles": (Code.ALTERED,),
    "tokens_without_end": (Code.ALTERED, Code.UNREADABLE),  # the second: the child ran out of processor time
}
"""Several codes: the attack makes several files, and each is answered by one of these."""

REASONS = {
    "second_signature": "ADDED_SIGNATURE",
    "archive_holds_a_signature": "ADDED_SIGNATURE",
    "other_manufacturers_seal": "OTHER_MANUFACTURER",
}

CHANGES_THE_WORLD = frozenset({"seal_revoked", "seal_expired"})
"""These attacks publish a trust list and move the clock: they have a world of their own."""
