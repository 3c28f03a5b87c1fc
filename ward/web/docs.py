"""The API's documentation as a plain page: no script, nothing from elsewhere, made from the OpenAPI."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from ward.web.openapi import TAGS
from ward.web.problems import KINDS

Json = dict[str, Any]

CSS = """
:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { margin-top: 3rem; border-bottom: 2px solid var(--line); }
section { border: 1px solid var(--line); border-radius: .5rem; padding: .1rem 1rem 1rem; margin: 1rem 0; }
pre, code { font: 13px/1.5 ui-monospace, monospace; background: var(--soft); border-radius: .25rem; }
pre { padding: .75rem; overflow-x: auto; }
code { padding: .1rem .25rem; }
pre code { padding: 0; background: none; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
tr { border-bottom: 1px solid var(--line); }
nav li { margin: .1rem 0; } .method { font-weight: 700; }
"""


def page(title: str, body: str, up: str = "") -> str:
    """``up``: from the page's path to where the API is; links are relative, below whatever path that is."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="{up}docs.css"></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def sorry(title: str, why: str, back: str = "./") -> str:
    """For a person whose browser was led here and cannot go on."""
    said = f'<p>{escape(why[:1].upper() + why[1:])}.</p><p><a href="{back}">To the log-in page</a></p>'
    return page(title, said, back)


def text(source: str) -> str:
    """The little markdown that descriptions use: paragraphs, `code` and tables."""
    return "".join(_block(block) for block in re.split(r"\n\s*\n", source.strip()))


def _block(block: str) -> str:
    lines = [line.strip() for line in block.splitlines()]
    if not all(line.startswith("|") for line in lines):
        return f"<p>{_inline(' '.join(lines))}</p>"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return table(rows[0], [row for row in rows[1:] if not set("".join(row)) <= set("-: ")])


def _inline(source: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(source, quote=False))


def table(head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    first = "".join(f"<th>{_inline(cell)}</th>" for cell in head)
    rest = "".join("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{first}</tr></thead><tbody>{rest}</tbody></table>"


def render(schema: Json) -> str:
    """The whole page."""
    found = [
        (path, method.upper(), operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    parts = [text(schema["info"]["description"]), '<p><a href="openapi.json">openapi.json</a></p>']
    contents, sections = [], []
    for tag, about in TAGS:
        of_tag = [one for one in found if tag in one[2].get("tags", ())]
        contents += [_entry(*one) for one in of_tag]
        sections.append(f"<h2>{escape(tag.capitalize())}</h2>{text(about)}")
        sections += [_section(*one) for one in of_tag]
    parts.append(f"<nav><ul>{''.join(contents)}</ul></nav>{''.join(sections)}<h2>Problems</h2>{problems()}")
    return page(f"ward {schema['info']['version']}: the API", "".join(parts))


def _entry(path: str, method: str, operation: Json) -> str:
    link = f'<a href="#{operation["operationId"]}">{_call(method, path)}</a>'
    return f"<li>{link} {escape(operation['summary'])}</li>"


def _call(method: str, path: str) -> str:
    return f'<span class="method">{method}</span> <code>{escape(path)}</code>'


def _section(path: str, method: str, operation: Json) -> str:
    parameters = [
        [f"`{p['name']}`", p["in"] + (", required" if p.get("required") else ""), p.get("description", "")]
        for p in operation.get("parameters", ())
    ]
    request = _example("Send", operation.get("requestBody", {}))
    answers = [[status, answer["description"]] for status, answer in operation["responses"].items()]
    success = next(answer for status, answer in operation["responses"].items() if status[0] in "23")
    return (
        f'<section id="{operation["operationId"]}"><h3>{escape(operation["summary"])}</h3>'
        f"<p>{_call(method, path)}</p>{text(operation['description'])}"
        f"{table(['Parameter', 'In', 'Meaning'], parameters)}{request}{_example('Answer', success)}"
        f"{table(['Status', 'Meaning'], answers)}</section>"
    )


def _example(title: str, holder: Json) -> str:
    example = holder.get("content", {}).get("application/json", {}).get("example")
    if example is None:
        return ""
    shown = json.dumps(example, indent=2, ensure_ascii=False)
    return f"<h4>{title}</h4><pre><code>{escape(shown)}</code></pre>"


def problems() -> str:
    return table(
        ["Type", "Status", "Title", "What to do"],
        [[f"`/problems/{type}`", str(k.status), k.title, k.meaning] for type, k in KINDS.items()],
    )


def problem_page(type: str) -> str:
    """The page that a problem's ``type`` names. Raises KeyError."""
    kind = KINDS[type]
    return page(
        f"{kind.status} {kind.title}",
        f"<p><code>/problems/{escape(type)}</code></p>{text(kind.meaning)}",
        "../",
    )
