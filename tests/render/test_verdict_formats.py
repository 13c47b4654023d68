"""The formats of a check: valid by their published schemas, escaped as their readers unescape, and never endless."""

from __future__ import annotations

import hashlib
import html
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import markdown_it
import pytest
import xmlschema

from convcalc.errors import Source, Span, escape
from convcalc.findings import CheckResult, Finding
from convcalc.guide.pages import error_page
from convcalc.render import VERDICTS, Surface
from convcalc.render.tables import markdown_syntax as gfm
from tests.conftest import Command
from tests.render import verdicts
from tests.test_claims import NET

Golden = Callable[[str, str], None]
SCHEMAS = Path(__file__).parent / "schemas"
ENDINGS = {"comment": "md", "github": "txt", "gitlab": "json", "junit": "xml", "markdown": "md"}

every_verdict = pytest.mark.parametrize("name", verdicts.VERDICTS)


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is none of a repository: paths are relative to it."""
    monkeypatch.chdir(tmp_path)


def shown(format_: str, verdict: CheckResult, *, ascii_only: bool = False) -> str:
    return VERDICTS[format_].verdict(verdict, Surface(ascii_only=ascii_only))


def made(name: str) -> CheckResult:
    verdict: CheckResult = verdicts.VERDICTS[name]()
    return verdict


# --- all formats ------------------------------------------------------------------------------------------------------


def test_the_formats_of_a_check() -> None:
    assert {
        "text", "comment", "concise", "github", "gitlab", "html", "json", "junit", "markdown", "sarif",
    } == set(VERDICTS)  # fmt: skip


@pytest.mark.parametrize("format_", ENDINGS)
def test_golden(golden: Golden, format_: str) -> None:
    golden(f"verdict-{format_}.{ENDINGS[format_]}", shown(format_, verdicts.every()))


@every_verdict
@pytest.mark.parametrize("format_", VERDICTS)
def test_no_text_lies(format_: str, name: str) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", shown(format_, made(name)))


@every_verdict
@pytest.mark.parametrize("format_", ["comment", "github", "gitlab", "junit", "markdown", "sarif"])
def test_ascii(format_: str, name: str) -> None:
    shown(format_, made(name), ascii_only=True).encode("ascii")


@pytest.mark.parametrize("format_", ["gitlab", "junit", "sarif"])
def test_documents_are_ascii_everywhere(format_: str) -> None:
    verdict = CheckResult(1, findings=[verdicts.BROKEN._replace(text="größer")])
    text = shown(format_, verdict)
    assert text.isascii()
    assert re.search("gr(ö|&#246;|\\\\u00f6)", text)


# --- concise ----------------------------------------------------------------------------------------------------------


def test_concise_has_a_line_a_finding_with_its_place() -> None:
    lines = shown("concise", verdicts.every()).splitlines()
    assert len(lines) == 8
    for beginning in (
        f"models/edge.yaml:4:5: error CC611 [edge-total] {verdicts.BROKEN.text}",
        "convcalc-budget.yaml:3:9: error CC616 [ghost] the budget matches no design",
        "models/nowhere.yaml: error CC001 no such file",
        "models/edge.yaml:4:5: warning CC611 [no-fat-layer] head.fc has 41 % of params, above 40 %",
    ):
        assert [line.startswith(beginning) for line in lines].count(True) == 1


# --- github -----------------------------------------------------------------------------------------------------------


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands as the runner does: split at commas and the first ``=``, then unescape."""
    return [command(line) for line in text.split("\n") if line]


def command(line: str) -> tuple[str, dict[str, str], str]:
    match = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
    assert match, line
    properties = dict(part.split("=", 1) for part in match[2].split(","))
    return match[1], {key: unescaped(value) for key, value in properties.items()}, unescaped(match[3])


def unescaped(text: str) -> str:
    for code, character in {"%3A": ":", "%2C": ",", "%0A": "\n", "%0D": "\r", "%25": "%"}.items():
        text = text.replace(code, character)
    return text


def test_github_annotates_the_place() -> None:
    kind, properties, message = commands(shown("github", CheckResult(1, findings=[verdicts.BROKEN])))[0]
    assert kind == "error"
    place = {"file": "models/edge.yaml", "line": "4", "col": "5", "endColumn": "34"}
    assert properties == {**place, "title": "CC611 edge-total"}
    assert message.split("\n") == [
        "params of models/edge.yaml: 5,612,345, above the limit of 5.5M (5,500,000) by 2.04 %",
        "grew most: head.fc 2,359,296 (grew from 1,769,472), stem 1,728, old 0 (removed from 9)",
        "budget: convcalc-budget.yaml:4:19",
    ]


def test_github_sorts_by_kind_and_badness() -> None:
    found = commands(shown("github", verdicts.every()))
    codes = [(kind, properties["title"].split()[0]) for kind, properties, _ in found]
    errors = [("error", code) for code in ("CC203", "CC001", "CC611", "CC604", "CC616")]
    assert codes == [*errors, ("warning", "CC611"), ("notice", "CC620"), ("notice", "CC614")]


def test_github_says_nothing_where_nothing_is_wrong() -> None:
    assert shown("github", verdicts.nothing()) == shown("github", verdicts.fine()) == ""


def test_github_shows_the_nine_worst_of_a_kind() -> None:
    warnings = [finding._replace(severity="warning") for finding in verdicts.many(12).findings]
    verdict = verdicts.many()
    found = commands(shown("github", verdict._replace(findings=[*verdict.findings, *warnings])))
    assert Counter(kind for kind, _, _ in found) == {"error": 10, "warning": 10}
    assert [properties.get("file") for _, properties, _ in found[:10]] == [
        *(f"models/net{n}.yaml" for n in range(10_000, 9_991, -1)), None,
    ]  # fmt: skip
    assert found[9][2].startswith("9,991 more errors")
    assert found[19][2].startswith("3 more warnings")


def test_github_shows_nine_without_a_tenth_line() -> None:
    assert len(commands(shown("github", verdicts.many(9)))) == 9
    assert commands(shown("github", verdicts.many(10)))[9][2].startswith("1 more error:")


def test_github_cannot_be_talked_into_commands() -> None:
    lines = shown("github", verdicts.hostile()).split("\n")
    title = f"CC611 {escape(verdicts.EVIL)}"
    assert [command(line)[1]["title"] for line in lines] == ["CC201", title, f"{title} (waived)"]
    for line in lines:
        assert not re.search("[\r\x1b]", line)
        _, properties, message = command(line)
        assert set(properties) <= {"file", "line", "col", "endColumn", "title"}
        assert "%0A::error::x," in message  # as it was written, and no line end
        assert [part.partition(":")[0] for part in message.split("\n")[1:]] in (
            ["hint"],
            ["grew most", "hint"],
            ["grew most", "budget", "hint"],
        )


@pytest.mark.parametrize("file", ["<stdin>", "zoo:resnet50", "1a2b3c4:models/a.yaml", "--set", "../outside.yaml"])
def test_github_pins_nothing_to_what_is_no_file_of_the_repository(file: str) -> None:
    finding = verdicts.PLACELESS._replace(span=Span(Source(file), 3, 4, 5))
    _, properties, message = commands(shown("github", CheckResult(1, findings=[finding])))[0]
    assert set(properties) == {"title"}
    assert message.startswith(f"{file}:3:4: params of")


def test_paths_are_those_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "repository" / "models" / "deep"
    below.mkdir(parents=True)
    (tmp_path / "repository" / ".git").write_text("gitdir: elsewhere", encoding="utf-8")  # a worktree has a file
    monkeypatch.chdir(below)
    files = {
        "a.yaml": "models/deep/a.yaml",
        "../b.yaml": "models/b.yaml",
        str(tmp_path / "repository/c.yaml"): "c.yaml",
    }
    for file, path in files.items():
        verdict = CheckResult(1, findings=[verdicts.PLACELESS._replace(span=Span(Source(file), 1, 1))])
        assert commands(shown("github", verdict))[0][1]["file"] == path
        assert json.loads(shown("gitlab", verdict))[0]["location"]["path"] == path
        result = json.loads(shown("sarif", verdict))["runs"][0]["results"][0]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == path


# --- gitlab -----------------------------------------------------------------------------------------------------------

CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "minLength": 1, "not": {"pattern": "^(/|\\./)"}},
                    "lines": {"required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
}
"""The fields that docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format requires; a relative path."""


@every_verdict
def test_gitlab_has_the_required_fields_and_unique_fingerprints(name: str) -> None:
    verdict = made(name)
    entries = json.loads(shown("gitlab", verdict))
    jsonschema.validate(entries, CODE_QUALITY)
    assert len(entries) == len(verdict.findings) + len(verdict.errors)
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)


def test_gitlab_severities() -> None:
    entries = json.loads(shown("gitlab", verdicts.every()))
    severities = [(entry["check_name"], entry["severity"]) for entry in entries]
    assert severities == [
        ("CC203", "blocker"), ("CC001", "blocker"), ("CC611", "major"), ("CC604", "major"), ("CC616", "major"),
        ("CC611", "minor"), ("CC620", "info"), ("CC614", "info"),
    ]  # fmt: skip


def fingerprint(finding: Finding, format_: str = "gitlab") -> str:
    document = json.loads(shown(format_, CheckResult(1, findings=[finding])))
    if format_ == "gitlab":
        return document[0]["fingerprint"]
    return document["runs"][0]["results"][0]["partialFingerprints"]["convcalc/v1"]


@pytest.mark.parametrize("format_", ["gitlab", "sarif"])
def test_a_fingerprint_is_that_of_what_is_broken(format_: str) -> None:
    finding = verdicts.BROKEN
    facts = "\x1f".join(["CC611", "edge-total", "models/edge.yaml", "", "params"])
    assert fingerprint(finding, format_) == hashlib.sha256(facts.encode()).hexdigest()
    moved: dict[str, Any] = {
        "span": Span(Source("models/edge.yaml", "# new\n"), 99, 1), "rule": None, "value": 7, "limit": 6, "text": "x",
        "hint": "y", "heaviest": (), "severity": "warning",
    }  # fmt: skip
    assert fingerprint(finding._replace(**moved), format_) == fingerprint(finding, format_)
    others: list[dict[str, Any]] = [{key: "other"} for key in ("id", "code", "design", "metric", "path")]
    assert len({fingerprint(finding._replace(**other), format_) for other in [{}, *others]}) == 6


def test_findings_that_are_alike_are_both_kept() -> None:
    entries = json.loads(shown("gitlab", CheckResult(1, findings=[verdicts.BROKEN] * 2)))
    assert entries[0]["fingerprint"] == fingerprint(verdicts.BROKEN) != entries[1]["fingerprint"]


# --- sarif ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sarif_schema() -> jsonschema.Draft4Validator:
    schema = json.loads((SCHEMAS / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"].endswith("/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json")
    checker = jsonschema.FormatChecker()
    checker.checks("uri-reference")(is_reference)
    return jsonschema.Draft4Validator(schema, format_checker=checker)


def is_reference(text: object) -> bool:
    """RFC 3986: percent-encoded, and no colon in the first segment of what has no scheme."""
    return re.fullmatch(r"(?:[\w.~!$&'()*+,;=@/-]|%[0-9A-F]{2})*", str(text), re.ASCII) is not None


def run(verdict: CheckResult) -> dict[str, Any]:
    (only,) = json.loads(shown("sarif", verdict))["runs"]
    return dict(only)


@every_verdict
def test_sarif_is_what_the_standard_says(sarif_schema: jsonschema.Draft4Validator, name: str) -> None:
    verdict = made(name)
    if name == "many":
        verdict = verdicts.many(200)  # the validator takes its time
    sarif_schema.validate(json.loads(shown("sarif", verdict)))
    found = run(verdict)
    rules = [rule["id"] for rule in found["tool"]["driver"]["rules"]]
    assert rules == sorted(set(rules))
    assert len(found["results"]) == len(verdict.findings)
    for result in found["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    assert found["invocations"][0]["executionSuccessful"] is not bool(verdict.errors)
    assert len(found["invocations"][0]["toolExecutionNotifications"]) == len(verdict.errors)


def test_the_schema_refuses_what_is_wrong(sarif_schema: jsonschema.Draft4Validator) -> None:
    document = json.loads(shown("sarif", verdicts.every()))
    result = document["runs"][0]["results"][0]
    for broken in ({"level": "bad"}, {"message": "text"}, {"unknown": 1}, {"ruleIndex": -2}):
        document["runs"][0]["results"] = [{**result, **broken}]
        assert not sarif_schema.is_valid(document)
    result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = "a b:c"
    document["runs"][0]["results"] = [result]
    assert not sarif_schema.is_valid(document)


def test_sarif_shows_where() -> None:
    result = run(CheckResult(1, findings=[verdicts.BROKEN]))["results"][0]
    (place,) = result["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "models/edge.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 4, "startColumn": 5, "endColumn": 35},
    }
    (budget,) = result["relatedLocations"]
    assert budget["physicalLocation"]["artifactLocation"]["uri"] == "convcalc-budget.yaml"
    assert budget["physicalLocation"]["region"] == {"startLine": 4, "startColumn": 19, "endColumn": 23}
    assert result["properties"]["value"] == "5612345"
    assert result["properties"]["excess"] == "112345"


def test_sarif_without_a_place() -> None:
    placeless, unmatched = (
        run(CheckResult(1, findings=[one]))["results"][0] for one in (verdicts.PLACELESS, verdicts.UNMATCHED)
    )
    assert placeless["locations"] == []
    assert unmatched["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "convcalc-budget.yaml"
    whole = run(CheckResult(0, errors=[verdicts.UNREADABLE]))["invocations"][0]["toolExecutionNotifications"][0]
    assert "region" not in whole["locations"][0]["physicalLocation"]


def test_sarif_levels_and_suppressions() -> None:
    results = {result["properties"]["id"]: result for result in run(verdicts.every())["results"]}
    levels = {id_: result["level"] for id_, result in results.items()}
    assert levels == {
        "edge-total": "error", "claim:wide:params": "error", "ghost": "error", "no-fat-layer": "warning",
        "edge-macs": "note", "big": "note",
    }  # fmt: skip
    suppressed = {id_: result["suppressions"] for id_, result in results.items() if result["suppressions"]}
    assert suppressed == {"big": [{"kind": "external", "status": "accepted", "justification": "tracked in ARCH-12"}]}
    assert all("suppressions" in result for result in results.values())


@pytest.mark.parametrize("place", ["rules", "notifications"])
def test_sarif_explains_codes_in_the_words_of_their_pages(place: str) -> None:
    driver = run(verdicts.every())["tool"]["driver"]
    code = {"rules": "CC604", "notifications": "CC203"}[place]
    rule = next(rule for rule in driver[place] if rule["id"] == code)
    page = " ".join(error_page(code).split())
    assert page.startswith(
        f"{code}: {rule['shortDescription']['text'].removesuffix('.')} {rule['fullDescription']['text']}"
    )
    assert rule["help"]["text"].endswith(f"convcalc explain {code}")


def test_sarif_messages_have_no_links_and_placeholders() -> None:
    found = run(verdicts.hostile())
    messages = [found["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]]
    messages += [result["message"]["text"] for result in found["results"]]
    for message in messages:
        assert not re.search(r"(?<!\\)\[[^\]]*\]\(", message)
        assert not re.search(r"(?<!\{)\{\d+\}(?!\})", message)
        assert "{{0}}" in message


# --- junit ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def junit_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))


def suites(verdict: CheckResult) -> ET.Element:
    return ET.fromstring(shown("junit", verdict))  # noqa: S314 - our own text


@every_verdict
def test_junit_is_what_jenkins_reads(junit_schema: xmlschema.XMLSchema, name: str) -> None:
    verdict = verdicts.many(200) if name == "many" else made(name)
    junit_schema.validate(shown("junit", verdict))


@every_verdict
def test_junit_totals_add_up(name: str) -> None:
    verdict = made(name)
    root = suites(verdict)
    for element in (root, *root):
        assert int(element.get("tests", "")) == len(element.findall(".//testcase"))
        for total, tag in {"failures": "failure", "errors": "error"}.items():
            assert int(element.get(total, "")) == len(element.findall(f".//{tag}"))
    for suite in root:
        assert int(suite.get("skipped", "")) == len(suite.findall(".//skipped"))
    assert int(root.get("errors", "")) == len(verdict.errors)
    broken = [finding for finding in verdict.findings if finding.severity == "error"]
    assert int(root.get("failures", "")) == len(broken)
    assert len({suite.get("name") for suite in root}) == len(root)


def test_junit_has_a_suite_a_design_and_a_case_a_limit_and_claim() -> None:
    root = suites(verdicts.every())
    cases = {suite.get("name"): [case.get("name") for case in suite] for suite in root}
    assert cases == {
        "models/edge.yaml@wide": ["no-fat-layer: max params% of head.fc", "claim:wide:params = 8 (x)"],
        "models/same.yaml": [],
        "models/edge.yaml": [
            "CC203 no argument 'dilaton' of conv", "edge-total: max params", "edge-total: max macs",
            "pays: max params/", "claim:params = 5.6M (Table 1)", "claim:out = 1000 (x)", "edge-macs: CC620 macs",
        ],
        "models/nowhere.yaml": ["CC001 no such file"],
        "models/big.yaml": ["big: growth params"],
        "convcalc": ["ghost: CC616"],
    }  # fmt: skip
    outcomes = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert {name: tags for name, tags in outcomes.items() if tags} == {
        "no-fat-layer: max params% of head.fc": ["system-out"],  # a warning
        "claim:wide:params = 8 (x)": ["failure"],
        "CC203 no argument 'dilaton' of conv": ["error"],
        "edge-total: max params": ["failure"],
        "edge-macs: CC620 macs": ["system-out"],
        "CC001 no such file": ["error"],
        "big: growth params": ["skipped"],
        "ghost: CC616": ["failure"],
    }


@pytest.mark.parametrize(("failing", "failures"), [(("error",), 0), (("error", "warning"), 1)])
def test_junit_fails_where_the_check_does(
    cli: Command, tmp_path: Path, failing: tuple[str, ...], failures: int
) -> None:
    """As ``--fail-on`` says, whose exit code is the same."""
    (tmp_path / "net.yaml").write_text("input: [3, 8, 8]\nlayers: [conv: [4, 3]]\n", "utf-8")
    budget = tmp_path / "convcalc-budget.yaml"
    limit = "{id: a, designs: net.yaml, severity: warning, max: {params: 1}}"
    budget.write_text(f"version: 1\nbudgets: [{limit}]\n", "utf-8")
    result = cli("check", "--budget", budget, "--fail-on", failing[-1], "-f", "junit")
    suites = ET.fromstring(result.stdout)  # noqa: S314 - our own text
    assert (suites.get("failures"), result.exit_code) == (str(failures), failures)


def test_junit_failures_show_the_line_and_the_layers() -> None:
    failure = suites(CheckResult(1, findings=[verdicts.BROKEN])).find(".//failure")
    assert failure is not None
    assert failure.get("message") == verdicts.BROKEN.text
    assert (failure.text or "").split("\n") == [
        f"models/edge.yaml:4:5: error CC611: {verdicts.BROKEN.text}",
        "      - {conv: [64, 3], name: stem}",
        "        ^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "  grew most: head.fc 2,359,296 (grew from 1,769,472), stem 1,728, old 0 (removed from 9)",
        "  budget: convcalc-budget.yaml:4:19",
    ]


def test_junit_two_broken_claims_of_one_number_are_two_failures() -> None:
    claim, judgement = verdicts.CLAIM, verdicts.JUDGEMENTS[1]
    below = Span(verdicts.SPEC, 6, 3)
    verdict = CheckResult(1, [judgement, judgement._replace(span=below)], [claim._replace(span=below, text="b"), claim])
    messages = [failure.get("message") for failure in suites(verdict).iter("failure")]
    assert messages == ["is 9, not 8", "b"]


# --- markdown ---------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a rendered page holds: its tags, and the text that stands outside of code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.prose = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.prose += "" if "code" in self.open else data


def rendered(text: str) -> str:
    page: str = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    return page


OUR_TAGS = {"h3", "h4", "p", "ul", "li", "strong", "code", "br", "table", "thead", "tbody", "tr", "th", "td"}
OUR_TAGS |= {"details", "summary"}


@every_verdict
@pytest.mark.parametrize("format_", ["markdown", "comment"])
def test_markdown_is_never_markup(format_: str, name: str) -> None:
    verdict = verdicts.many(100) if name == "many" else made(name)
    text = rendered(shown(format_, verdict))
    page = Page(text)
    assert page.open == []
    assert set(page.tags) <= OUR_TAGS
    assert not re.search(r"[@#]|://|www\.", page.prose)
    for table in re.findall(r"<table>.*?</table>", text, re.DOTALL):
        assert len({len(re.findall("<t[dh]", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)}) == 1


@pytest.mark.parametrize(
    ("note", "tags"),
    [
        ("- x", []), ("1. x", []), ("12) x", []), ("+ x", []), ("===", []), ("---", []), ("# x", ["code"]),
        ("see www.evil.example", ["code"]), ("in 1a2b3c4d5e", ["code"]), ("GH-12", ["code"]),
        ("!12 ~bug", ["code"] * 2), ("$x$, %3", ["code"] * 2),
        ("$x$ ~~y~~ 5 % of 2.5M", ["code"] * 2), ("me@evil.example", ["code"]), ("owner/repo#1", ["code"]),
        ("<!-- x", []), ("&lt; &amp;", ["code"] * 2), ("1234567 of -3", []), ("    code", []),
        ("``` x", []), ("> x", []),
    ],
)  # fmt: skip
def test_markdown_notes_stay_what_they_are(note: str, tags: list[str]) -> None:
    page = rendered(shown("markdown", CheckResult(1, notes=[note])))
    (item,) = re.findall(r"<li>\n?(.*?)\n?</li>", page, re.DOTALL)
    assert re.findall(r"<(\w+)", item) == tags
    text = re.sub(r"</?code>", "", item).replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
    assert text == note.strip()


@pytest.mark.parametrize("name", ["a", "a`<b>", "`", "``<i>`", " a ", "a|b", "a\\", "*a*", "&lt;"])
def test_markdown_code_is_what_it_was(name: str) -> None:
    assert rendered(gfm.code(name)) == f"<p><code>{html.escape(name)}</code></p>\n"
    table = rendered("\n".join([*gfm.head(["x"], [False]), gfm.line([gfm.cell(name)])]))
    assert f'<td style="text-align:left"><code>{html.escape(name)}</code></td>' in table


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("nothing", "✅ convcalc: nothing is wrong"),
        ("fine", "✅ convcalc: all limits and claims hold"),
        ("every", "❌ convcalc: 2 errors, 3 findings, 1 warning, 1 waived"),
        ("unjudged", "❌ convcalc: 2 errors"),
        ("placeless", "❌ convcalc: 1 finding"),
    ],
)
def test_markdown_begins_with_the_outcome(name: str, headline: str) -> None:
    assert shown("markdown", made(name)).splitlines()[0] == f"### {headline}"


def test_markdown_headlines_that_are_no_failure() -> None:
    for findings, headline in {
        (verdicts.SHARE,): "⚠️ convcalc: 1 warning",
        (verdicts.LOOSE,): "✅ convcalc: nothing is wrong",
    }.items():
        assert shown("markdown", CheckResult(1, findings=findings)).splitlines()[0] == f"### {headline}"
    assert shown("markdown", verdicts.fine(), ascii_only=True).startswith("### convcalc: all limits")


@pytest.mark.parametrize(
    ("format_", "most", "words"), [("markdown", 900 * 1024, "900 KiB"), ("comment", 60_000, "60,000 characters")]
)
def test_markdown_is_cut_worst_first_and_says_so(format_: str, most: int, words: str) -> None:
    text = shown(format_, verdicts.many(20_000))
    assert most - 1000 < len(text.encode()) <= most
    assert [f"net{n}.yaml" in text for n in (20_000, 19_999, 1)] == [True, True, False]
    shown_findings = text.count("\n- **error")
    last = text.splitlines()[-1]
    assert last.startswith(
        f"**Cut at {words}.** Not shown: {20_000 - shown_findings:,} findings, 20,000 designs, 20,000 "
    )


def test_markdown_that_fits_is_not_cut() -> None:
    text = shown("comment", verdicts.many(100))
    assert "Cut at" not in text
    assert text.count("\n- **error") == 100
    assert "\n#### Exceeded limits\n" in text
    assert "<details>" not in text  # none is met


def test_markdown_cuts_by_bytes_where_letters_take_more() -> None:
    finding = verdicts.PLACELESS._replace(text="𝟙" * 500)
    text = shown("comment", CheckResult(1, findings=[finding] * 100))
    assert 55_000 < len(text.encode()) <= 60_000


# --- the command ------------------------------------------------------------------------------------------------------


def test_several_formats_at_once(cli: Command, tmp_path: Path, sarif_schema: Any, junit_schema: Any) -> None:
    (tmp_path / "net.yaml").write_text(f"{NET}  - {{params: 151, source: x}}\n", encoding="utf-8")
    wanted = ["-f", "github", "-f", "sarif=out.sarif", "-f", "junit=out.xml", "-f", "comment=comment.md"]
    result = cli("check", "net.yaml", *wanted)
    assert result.exit_code == 1
    assert command(result.stdout.splitlines()[0])[1]["line"] == "8"
    sarif_schema.validate(json.loads((tmp_path / "out.sarif").read_text(encoding="utf-8")))
    junit_schema.validate((tmp_path / "out.xml").read_text(encoding="utf-8"))
    assert (tmp_path / "comment.md").read_text(encoding="utf-8").startswith("### ❌ convcalc: 1 finding")


def test_endings_tell_the_format(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(f"{NET}  - {{params: 150, source: x}}\n", encoding="utf-8")
    for file, beginning in {"a.sarif": '{"$schema"', "a.xml": "<?xml", "a.md": "### ✅"}.items():
        assert cli("check", "net.yaml", "-o", file).exit_code == 0
        assert (tmp_path / file).read_text(encoding="utf-8").startswith(beginning)
