# What editors and type checkers see of the lazily loaded names.
from . import measure as measure
from . import model as model
from . import scenes as scenes
from . import tasks as tasks
from . import view as view
from .app import Explorer as Explorer
from .batches import explain_each as explain_each
from .explainers import METHODS as METHODS
from .explainers import explain as explain
from .explainers import methods as methods
from .explainers import word_relevance as word_relevance
from .explainers.decomposition import head_contributions as head_contributions
from .explainers.layers import attention_maps as attention_maps
from .explainers.layers import contributions as contributions
from .explainers.words import token_scores as token_scores
from .model.checkpoints import load as load
from .model.clip import CLIP as CLIP
from .model.templates import IMAGENET_TEMPLATES as IMAGENET_TEMPLATES
from .model.templates import SURGERY_TEMPLATES as SURGERY_TEMPLATES
from .results import Explanation as Explanation
from .results import Grid as Grid
from .surgery import PRESETS as PRESETS
from .surgery import Rewrite as Rewrite
from .surgery import feature_surgery as feature_surgery
from .surgery import rewrite as rewrite
from .tasks import recognise as recognise
from .tasks import segment as segment
from .trace import Trace as Trace
from .trace import record as record
from .view import save as save
from .view import show as show
from .windows import explain_windows as explain_windows

__version__: str
