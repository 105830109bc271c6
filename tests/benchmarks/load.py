"""
Ask a server over loopback from a process of its own: `load.py PORT FILE`, and print one line of JSON.

FILE is JSON: how many `clients`, and the `requests` that they share, each {method, path, headers, body (base64)}.
Each client keeps one connection. Times are in milliseconds.
"""

from __future__ import annotations

import base64
import http.client
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def client(port: int, mine: list[dict[str, Any]]) -> tuple[list[float], set[int]]:
    """Ask one after another; how long each took, and which statuses came."""
    link, taken, statuses = http.client.HTTPConnection("127.0.0.1", port, timeout=120), [], set()
    for one in mine:
        begun = time.perf_counter()
        link.request(one["method"], one["path"], one["body"], one["headers"])
        answer = link.getresponse()
        answer.read()
        taken.append(1000 * (time.perf_counter() - begun))
        statuses.add(answer.status)
    return taken, statuses


def main() -> None:
    port, given = int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    asked = [{**one, "body": base64.b64decode(one["body"]) if one["body"] else None} for one in given["requests"]]
    begun = time.perf_counter()
    with ThreadPoolExecutor(given["clients"]) as pool:
        shares = [asked[place :: given["clients"]] for place in range(given["clients"])]
        found = list(pool.map(lambda mine: client(port, mine), shares))
    whole = time.perf_counter() - begun
    taken = sorted(one for times, _ in found for one in times)
    told = {
        "rate": len(taken) / whole,
        "p50": statistics.median(taken),
        "p99": taken[min(len(taken) - 1, int(0.99 * len(taken)))],
        "statuses": sorted({status for _, statuses in found for status in statuses}),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
