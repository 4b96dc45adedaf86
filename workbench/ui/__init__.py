"""The app in the browser: pages, widgets, words and looks. Nothing above it computes; nothing below knows Gradio."""
