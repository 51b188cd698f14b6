"""How does a class explore CLIP without writing a line? `clipxai.Explorer`, for JupyterLab;
beside it `MaskEditor`, in which clicks correct a mask.
"""

from .explorer import Explorer
from .masks import MaskEditor

__all__ = ["Explorer", "MaskEditor"]
