"""The loss at learnt positions equals the plain one over the whole vocabulary, value and gradient."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the `training` extra is not installed")

import torch
from deepimagine_training.completion_loss import completion_log_probs, linear_log_probs


@pytest.mark.parametrize("rows", [1, 127, 128, 300])
def test_log_probabilities_and_their_gradient_are_those_of_log_softmax(rows: int):
    generator = torch.Generator().manual_seed(rows)
    hidden = torch.randn(rows, 16, generator=generator, requires_grad=True)
    weight = torch.randn(50, 16, generator=generator)
    labels = torch.randint(50, (rows,), generator=generator)
    outer = torch.rand(rows, generator=generator)
    plain = torch.log_softmax(hidden @ weight.T, -1).gather(1, labels[:, None])[:, 0]
    (wanted,) = torch.autograd.grad((plain * outer).sum(), hidden)
    found = linear_log_probs(hidden, weight, labels)
    (gradient,) = torch.autograd.grad((found * outer).sum(), hidden)
    torch.testing.assert_close(found, plain)
    torch.testing.assert_close(gradient, wanted)


def test_only_the_wanted_tokens_are_scored_each_from_those_before_it():
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = Gemma3ForCausalLM(Gemma3TextConfig(vocab_size=80, num_key_value_heads=1, head_dim=16, **sizes)).eval()
    ids = torch.randint(5, 80, (2, 9))
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    wanted = torch.zeros(2, 9, dtype=torch.bool)
    wanted[0, 5:9] = wanted[1, 3:7] = True
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].log_softmax(-1)
    plain = logits.gather(2, ids[:, 1:, None])[..., 0][wanted[:, 1:]]
    torch.testing.assert_close(completion_log_probs(model, ids, mask, wanted), plain, rtol=1e-4, atol=1e-5)


def test_a_model_whose_logits_are_capped_is_refused():
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Gemma3TextConfig(vocab_size=80, num_key_value_heads=1, head_dim=16, final_logit_softcapping=30.0, **sizes)
    ids = torch.ones(1, 4, dtype=torch.long)
    with pytest.raises(ValueError, match="capped"):
        completion_log_probs(Gemma3ForCausalLM(config), ids, ids, ids > 0)
