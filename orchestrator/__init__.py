"""If someone broke our API, who would notice?"""

import importlib.metadata

DISTRIBUTION = "quality-orchestrator"
__version__ = importlib.metadata.version(DISTRIBUTION)
