"""The app in the browser: pages, widgets, words and looks. Nothing below knows Gradio."""
