"""How does a class explore CLIP without writing a line? `clipxai.Explorer`, for JupyterLab."""

from .explorer import Explorer

__all__ = ["Explorer"]
