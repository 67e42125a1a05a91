"""What network policies of one namespace let through between pods, as Kubernetes' documentation says it."""

from typing import Any

Labels = dict[str, str]


def admits(policies: list[dict[str, Any]], source: Labels, target: Labels, port: int) -> bool:
    """Say whether a pod may open a connection to another: both its way out and the other's way in have to be free."""
    outward = _is_open(policies, source, target, port, "Egress", "egress", "to")
    return outward and _is_open(policies, target, source, port, "Ingress", "ingress", "from")


def _is_open(
    policies: list[dict], pod: Labels, peer: Labels, port: int, direction: str, rules: str, peers: str
) -> bool:
    """A pod that no policy of a direction selects is open; else some rule of those that do must fit."""
    selecting = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"] and _fits(policy["spec"]["podSelector"], pod)
    ]
    fitting = (
        rule
        for spec in selecting
        for rule in spec.get(rules) or []
        if any("namespaceSelector" not in each and _fits(each.get("podSelector"), peer) for each in rule[peers])
        and any(each["port"] <= port <= each.get("endPort", each["port"]) for each in rule["ports"])
    )
    return not selecting or any(fitting)


def _fits(selector: dict[str, Any] | None, labels: Labels) -> bool:
    if selector is None:  # an address, which no pod of the namespace has
        return False
    expressions = selector.get("matchExpressions", [])
    assert all(each["operator"] == "In" for each in expressions)
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(each["key"]) in each["values"] for each in expressions
    )
