"""dbt-score's rule for owners: they are those of groups, so that an owner is written once."""

from dbt_score import Model, RuleViolation, Seed, Severity, rule


@rule(severity=Severity.CRITICAL)
def model_has_group(model: Model) -> RuleViolation | None:
    """A model belongs to a group of models/_groups.yml, which has an owner."""
    return None if model.group else RuleViolation("Model lacks a group.")


@rule(severity=Severity.CRITICAL)
def seed_has_group(seed: Seed) -> RuleViolation | None:
    """A seed belongs to a group of models/_groups.yml, which has an owner."""
    return None if seed.config.get("group") else RuleViolation("Seed lacks a group.")
