from __future__ import annotations

import json

from connector.doctor.checks import as_json, exit_code, fail, line, masked, ok, skip, total, warn

WARNED = [ok("tcp", "connected"), warn("clock", "4 s behind", "let NTP set it"), skip("tls", "no connection")]
FAILED = [*WARNED, fail("rest", "status 401", "check API_KEY")]


def test_warnings_are_no_failure_and_wrong_settings_are_usage() -> None:
    """The codes are those that every command of the connector has."""
    assert exit_code(WARNED) == 0
    assert exit_code(FAILED) == 1
    assert exit_code([fail("settings", "API_KEY is not set", "set it"), *FAILED]) == 2


def test_a_line_has_its_remedy_below() -> None:
    """And all that was seen, below each other."""
    assert line(ok("tcp", "connected")) == f"ok    {'tcp':<28}  connected"
    first, second, remedy = line(fail("settings", "one\ntwo", "set both")).splitlines()
    assert first.endswith("  one")
    assert (second.strip(), remedy.strip()) == ("two", "-> set both")
    assert second.index("two") == first.index("one")


def test_the_sum_names_what_there_is() -> None:
    """Nothing is said of what did not happen."""
    assert total(FAILED) == "1 ok, 1 warned of, 1 failed, 1 not checked"
    assert total([ok("a", "b")]) == "1 ok"


def test_programs_get_the_same() -> None:
    """With the outcome, which is the worst of all, and the exit code."""
    told = json.loads(as_json(FAILED))
    assert (told["outcome"], told["exit_code"], len(told["checks"])) == ("fail", 1, 4)
    assert told["checks"][3] == {"name": "rest", "status": "fail", "seen": "status 401", "remedy": "check API_KEY"}
    assert json.loads(as_json(WARNED))["outcome"] == "warn"
    assert json.loads(as_json([]))["outcome"] == "skip"


def test_secrets_are_masked_in_all_that_is_told() -> None:
    """Whoever quoted them."""
    told = masked(fail("rest", "no such key: s3cr3t", "do not use s3cr3t"), lambda text: text.replace("s3cr3t", "***"))
    assert "s3cr3t" not in line(told)
