"""Every rule, in one list; those of other packages come in by the entry points of the group `parti.rules`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Final

from parti.rules import (
    adverse_action,
    ai_disclosure,
    annex_iii,
    blind_approval,
    blocking,
    budget_overrun,
    budget_too_small,
    card_and_monitor,
    code_sink,
    confused_deputy,
    decision_log,
    dpia,
    endless_loop,
    endless_question,
    erasure,
    exfiltration,
    external_llm,
    fairness_gate,
    free_release,
    future_leak,
    hot_key,
    incompatible_change,
    irreversible,
    kill_switch,
    llm_in_loop,
    memory_poison,
    over_grant,
    prohibited_basis,
    purpose,
    receipt_laundering,
    region,
    retention,
    secret,
    short_retention,
    single_point,
    solely_automated,
    stale_acceptance,
    tight_timeout,
    trifecta,
    unbounded,
    unbounded_state,
    unjournaled_write,
    unlabelled_source,
    unpinned,
    unread_dead_letters,
    unread_topic,
    untrusted_argument,
    unwritten_topic,
    wrong_type,
)
from parti.rules.base import Rule

RULES: Final[tuple[Rule, ...]] = (
    stale_acceptance.RULE,
    trifecta.RULE,
    untrusted_argument.RULE,
    exfiltration.RULE,
    external_llm.RULE,
    secret.RULE,
    code_sink.RULE,
    receipt_laundering.RULE,
    unlabelled_source.RULE,
    memory_poison.RULE,
    free_release.RULE,
    over_grant.RULE,
    confused_deputy.RULE,
    blind_approval.RULE,
    irreversible.RULE,
    unbounded.RULE,
    unpinned.RULE,
    kill_switch.RULE,
    prohibited_basis.RULE,
    adverse_action.RULE,
    retention.RULE,
    purpose.RULE,
    region.RULE,
    erasure.RULE,
    dpia.RULE,
    solely_automated.RULE,
    decision_log.RULE,
    ai_disclosure.RULE,
    fairness_gate.RULE,
    annex_iii.RULE,
    card_and_monitor.RULE,
    unjournaled_write.RULE,
    endless_loop.RULE,
    unread_topic.RULE,
    unwritten_topic.RULE,
    single_point.RULE,
    tight_timeout.RULE,
    endless_question.RULE,
    unread_dead_letters.RULE,
    hot_key.RULE,
    blocking.RULE,
    wrong_type.RULE,
    future_leak.RULE,
    short_retention.RULE,
    unbounded_state.RULE,
    incompatible_change.RULE,
    llm_in_loop.RULE,
    budget_overrun.RULE,
    budget_too_small.RULE,
)


def all_rules() -> tuple[Rule, ...]:
    """Our own, and each `Rule` that an installed package offers."""
    return (*RULES, *(point.load() for point in entry_points(group="parti.rules")))


def by_code() -> Mapping[str, Rule]:
    """Every rule by its code."""
    return {rule.code: rule for rule in all_rules()}
