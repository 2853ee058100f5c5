"""A real Home Assistant: its config folder, its process, its API, the demo."""
