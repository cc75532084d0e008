"""GGUF files of a fine-tuned model: the adapter, and the base with the adapter merged in, for llama.cpp."""
