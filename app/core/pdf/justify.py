"""Stretches Chinese lines to the right margin.

WeasyPrint 70.0 widens only spaces, which Chinese does not have, so a justified paragraph keeps a ragged edge. Here the
rest of a line is spread evenly between its characters. This replaces a private function of that very version.
"""

from typing import Any

from .errors import NotReady

WEASYPRINT = "70.0"
MAX_GAP = 0.5
"""Widest gap between two characters, in em; a line that needs more stays ragged."""
FIRST_CJK = "\u2e80"


def install() -> None:
    """Put the function in place, once. NotReady: another version of WeasyPrint is installed."""
    import weasyprint
    from weasyprint.layout import inline

    if weasyprint.__version__ != WEASYPRINT:
        raise NotReady(f"需要 WeasyPrint {WEASYPRINT}，实际为 {weasyprint.__version__}，请运行 script/bootstrap")
    original = inline.justify_line
    if getattr(original, "stretches_chinese", False):
        return

    def justify_line(context: Any, line: Any, extra: float) -> None:
        texts = list(_texts(line))
        characters = "".join(box.text for box in texts)
        if extra <= 0 or len(characters) < 2 or max(characters) < FIRST_CJK:
            original(context, line, extra)
            return
        gap = extra / (len(characters) - 1)
        if gap <= MAX_GAP * texts[0].style["font_size"]:
            _spread(context, line, gap, 0.0, texts[-1])

    justify_line.stretches_chinese = True  # type: ignore[attr-defined]
    inline.justify_line = justify_line


def _texts(box: Any) -> Any:
    """The text boxes of a line, in reading order."""
    from weasyprint.formatting_structure import boxes

    if isinstance(box, boxes.TextBox):
        yield box
    elif isinstance(box, boxes.LineBox | boxes.InlineBox):
        for child in box.children:
            yield from _texts(child)


def _spread(context: Any, box: Any, gap: float, shift: float, last: Any) -> float:
    """Move `box` right by `shift`, widen what is in it; returns the shift of what follows. Lengths in CSS pixels."""
    from weasyprint.formatting_structure import boxes

    if isinstance(box, boxes.TextBox):
        return shift + _widen(context, box, gap, shift, last)
    if not isinstance(box, boxes.LineBox | boxes.InlineBox):
        box.translate(shift, 0)
        return shift
    start = shift
    box.position_x += shift
    for child in box.children:
        if child.is_in_normal_flow():
            shift = _spread(context, child, gap, shift, last)
    box.width += shift - start
    return shift


def _widen(context: Any, box: Any, gap: float, shift: float, last: Any) -> float:
    from weasyprint.text.line_break import create_layout

    style = box.style.copy()
    spacing = style["letter_spacing"]
    style["letter_spacing"] = gap if spacing == "normal" else spacing + gap
    box.position_x += shift
    box.style = style
    box.pango_layout = create_layout(box.text, style, context, max_width=None, justification_spacing=0)
    box.pango_layout.deactivate()
    # no gap after the last character of the line
    added: float = gap * (len(box.text) - (box is last))
    box.width += added
    return added
