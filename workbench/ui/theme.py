"""The look of the app: Gradio's theme, and the style sheet with the colour scales of both themes."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from workbench.ui.widgets.scales import scale_css

# Fonts of the visitor's own system, Korean ones among them: nothing is fetched.
_SANS = (
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Apple SD Gothic Neo",
    "Malgun Gothic",
    "Noto Sans KR",
    "NanumGothic",
    "sans-serif",
)
_MONO = (
    "ui-monospace",
    "SFMono-Regular",
    "Menlo",
    "Consolas",
    "DejaVu Sans Mono",
    "NanumGothicCoding",
    "monospace",
)

THEME = gr.themes.Base(
    primary_hue=gr.themes.colors.blue,
    neutral_hue=gr.themes.colors.slate,
    text_size=gr.themes.sizes.text_sm,
    spacing_size=gr.themes.sizes.spacing_sm,
    radius_size=gr.themes.sizes.radius_sm,
    font=_SANS,
    font_mono=_MONO,
).set(
    body_background_fill="#f4f6f8",
    body_background_fill_dark="#0e1218",
    block_background_fill="#ffffff",
    block_background_fill_dark="#151b23",
    block_border_width="0px",
    block_shadow="none",
    block_label_background_fill="transparent",
    block_label_background_fill_dark="transparent",
    background_fill_secondary="#ffffff",
    background_fill_secondary_dark="#151b23",
    border_color_primary="#dce2e9",
    border_color_primary_dark="#283140",
    input_border_width="1px",
    input_border_color="#dce2e9",
    input_border_color_dark="#283140",
    input_background_fill="#ffffff",
    input_background_fill_dark="#0f141b",
    button_primary_background_fill="#1d5fa8",
    button_primary_background_fill_hover="#174f8d",
    button_primary_background_fill_dark="#2b78c9",
    button_primary_background_fill_hover_dark="#3a88da",
    button_primary_text_color="#ffffff",
    button_primary_text_color_dark="#ffffff",
)

_HERE = Path(__file__).parent
_SHEETS = ("style.css", "style_speed.css", "style_trace.css", "style_train.css")
CSS = "".join((_HERE / sheet).read_text(encoding="utf-8") for sheet in _SHEETS) + scale_css()
