"""The training subsystem: pairs, traces, fine-tuning and reinforcement learning."""

import os
import warnings

# transformers draws bars over what a command says of its progress; tqdm reads this when it is first imported.
os.environ.setdefault("TQDM_DISABLE", "1")
# TRL and PEFT ask transformers by a name that its next major version drops, which nobody who trains can change.
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
