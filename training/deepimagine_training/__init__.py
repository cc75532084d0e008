"""The training subsystem: pairs, traces, fine-tuning and reinforcement learning."""
