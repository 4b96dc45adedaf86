"""The app: one window, a page a job."""

from __future__ import annotations

import gradio as gr

from workbench.ui.pages.compare import compare_page
from workbench.ui.pages.runs import runs_page
from workbench.ui.pages.speed import speed_page
from workbench.ui.pages.trace import trace_page
from workbench.ui.pages.train import train_page

# Gradio removes its copies of uploads and downloads: look every ten minutes, delete after an hour.
_DELETE_CACHE = (600, 3600)


def build_app() -> gr.Blocks:
    """Build the app; launch it with ``server.launch_settings``, which carries theme and style too."""
    with gr.Blocks(
        title="Workbench", analytics_enabled=False, delete_cache=_DELETE_CACHE, fill_width=True
    ) as demo:
        compare_page(demo)
    # The way to a page is the head of every page, not Gradio's own bar.
    with demo.route("Trace", "/trace", show_in_navbar=False):
        trace_page(demo)
    with demo.route("Train", "/train", show_in_navbar=False):
        train_page(demo)
    with demo.route("Speed", "/speed", show_in_navbar=False):
        speed_page(demo)
    with demo.route("Runs", "/runs", show_in_navbar=False):
        runs_page(demo)
    return demo
