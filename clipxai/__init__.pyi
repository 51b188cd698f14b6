# What editors and type checkers see of the lazily loaded names.
from . import measure as measure
from . import model as model
from . import scenes as scenes
from . import tasks as tasks
from . import view as view
from .app import Explorer as Explorer
from .explainers.decomposition import head_contributions as head_contributions
from .explainers.explain import explain as explain
from .explainers.explain import explain_all as explain_all
from .explainers.explain import word_relevance as word_relevance
from .explainers.layers import attention_maps as attention_maps
from .explainers.layers import contributions as contributions
from .explainers.presets import PRESETS as PRESETS
from .explainers.presets import Rewrite as Rewrite
from .explainers.surgery import feature_surgery as feature_surgery
from .explainers.surgery import rewrite as rewrite
from .explainers.table import METHODS as METHODS
from .explainers.table import methods as methods
from .explainers.words import token_scores as token_scores
from .many.batches import explain_each as explain_each
from .many.pairs import explain_pairs as explain_pairs
from .many.windows import explain_windows as explain_windows
from .model.clip import CLIP as CLIP
from .model.files.checkpoints import load as load
from .model.words.templates import IMAGENET_TEMPLATES as IMAGENET_TEMPLATES
from .model.words.templates import SURGERY_TEMPLATES as SURGERY_TEMPLATES
from .results.explanation import Explanation as Explanation
from .results.explanation import Grid as Grid
from .tasks import recognise as recognise
from .tasks import segment as segment
from .trace.record import record as record
from .trace.trace import Trace as Trace
from .view import save as save
from .view import show as show

__version__: str
