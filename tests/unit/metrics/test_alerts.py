"""The alert rules ask for what /metrics serves, and for nothing else."""

from __future__ import annotations

import re
from typing import Any

import yaml
from world import ROOT

from signer.metrics import CATALOGUE

ALERTS = ROOT / "deploy" / "alerts.yml"
SERVED = {metric.name: set(metric.labels) for metric in CATALOGUE} | {
    f"{metric.name}_{end}": {*metric.labels, *(("le",) if end == "bucket" else ())}
    for metric in CATALOGUE
    if metric.kind == "histogram"
    for end in ("bucket", "sum", "count")
}


def rules() -> list[dict[str, Any]]:
    found: Any = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    return [rule for group in found["groups"] for rule in group["rules"]]


def test_every_rule_asks_for_metrics_and_labels_that_are_served() -> None:
    for rule in rules():
        asked = re.findall(r"\b(signer_\w+)(?:\{([^}]*)\})?", rule["expr"])
        assert asked, rule
        for name, selector in asked:
            assert name in SERVED, f"{rule['alert']}: {name}"
            assert set(re.findall(r"(\w+)[=!]", selector)) <= SERVED[name], rule["alert"]
        told = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
        assert told <= set.union(*(SERVED[name] for name, _ in asked)), rule["alert"]


def test_every_rule_has_a_name_of_its_own_says_how_urgent_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert len(rule["annotations"]["summary"]) > 20
        for page in re.findall(r"docs/[\w/.-]+\.md", rule["annotations"]["summary"]):
            assert (ROOT / page).is_file(), page
