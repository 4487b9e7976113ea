"""Pre-training of pocket-base, from nothing to a checkpoint, top to bottom."""

import itertools
import math
import shutil
import time
from pathlib import Path
from typing import Any

import numpy
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from recipes.pocket import prose, tokenizer

SEED = 20_261
CONTEXT = 512  # tokens
BATCH = 8  # sequences a step, 4,096 tokens; four steps of five cut them in halves, which is faster
PEAK_RATE = 4e-3  # AdamW
WARM_STEPS = 100
FIRST_CYCLE = 2_000  # steps
SAVE_EVERY = 500  # steps


def build() -> LlamaForCausalLM:
    """The architecture: 1.5 million parameters, the embedding tied."""
    config = LlamaConfig(
        vocab_size=tokenizer.VOCABULARY,
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=3,
    )
    return LlamaForCausalLM(config)


def token_stream(tok: tokenizer.Tokenizer, seed: int, tokens: int) -> numpy.ndarray:
    """This many tokens of documents, each ended by the end-of-text token."""
    parts: list[numpy.ndarray] = []
    found = 0
    stream = prose.documents(seed)
    while found < tokens:
        for encoding in tok.encode_batch(list(itertools.islice(stream, 2_000))):
            parts.append(numpy.array([*encoding.ids, 0], dtype=numpy.uint16))
            found += len(parts[-1])
    return numpy.concatenate(parts)[:tokens]


def rate(step: int, steps: int) -> float:
    """Warm-up and half a cosine down to a hundredth; then once more from half the peak."""
    if step >= FIRST_CYCLE:
        return PEAK_RATE / 2 * cosine((step - FIRST_CYCLE) / max(1, steps - FIRST_CYCLE))
    if step < WARM_STEPS:
        return PEAK_RATE * (step + 1) / WARM_STEPS
    return PEAK_RATE * cosine((step - WARM_STEPS) / (min(FIRST_CYCLE, steps) - WARM_STEPS))


def cosine(done: float) -> float:
    """The share of the peak rate when this share of a cycle is done."""
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))


def save(model: LlamaForCausalLM, tok: tokenizer.Tokenizer, folder: Path) -> None:
    """A Base checkpoint in bf16: end of text is its only end, no chat template."""
    model.generation_config = GenerationConfig(eos_token_id=0, pad_token_id=3)
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    tokenizer.dress(tok, chat=False).save_pretrained(folder)


def main(out: Path, steps: int) -> dict[str, Any]:
    """Train and save out/pocket-base; returns the figures of the run."""
    torch.manual_seed(SEED)
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    tok = tokenizer.train(SEED)
    data = token_stream(tok, SEED + 1, steps * BATCH * CONTEXT)
    heldout = token_stream(tok, SEED + 2, 40 * CONTEXT).reshape(-1, CONTEXT).astype(numpy.int64)
    rows = torch.from_numpy(data.astype(numpy.int64)).view(steps, BATCH, CONTEXT)
    print(f"{data.size} tokens made in {time.monotonic() - started:.0f} s", flush=True)

    model = build()
    exact = [p.detach().clone() for p in model.parameters()]  # fp32, what the optimizer moves
    model.to(torch.bfloat16)  # what computes; a tenth faster here than autocast
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in exact if p.ndim == 2], "weight_decay": 0.1},
            {"params": [p for p in exact if p.ndim != 2], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.95),
        fused=True,
    )
    forward = torch.compile(model) if shutil.which("g++") else model  # a third faster
    begun, losses, first = time.monotonic(), [], 0
    state = out / "state.pt"  # lets an interrupted run go on; not part of the checkpoint
    if state.exists():
        saved = torch.load(state, weights_only=True)
        exact_saved = saved["exact"]
        with torch.no_grad():
            for master, weight, value in zip(exact, model.parameters(), exact_saved, strict=True):
                master.copy_(value)
                weight.copy_(value)
        optimizer.load_state_dict(saved["optimizer"])
        first = saved["step"]
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps)
        batch = rows[step] if step % 5 == 4 else rows[step].reshape(2 * BATCH, CONTEXT // 2)
        loss = forward(input_ids=batch, labels=batch, use_cache=False).loss
        loss.backward()
        for master, weight in zip(exact, model.parameters(), strict=True):
            master.grad, weight.grad = weight.grad.float(), None
        torch.nn.utils.clip_grad_norm_(exact, 1.0)
        optimizer.step()
        with torch.no_grad():
            for master, weight in zip(exact, model.parameters(), strict=True):
                weight.copy_(master)
        losses.append(loss.item())
        if (step + 1) % 100 == 0:
            speed = (step + 1 - first) * BATCH * CONTEXT / (time.monotonic() - begun)
            mean = numpy.mean(losses[-100:])
            print(f"step {step + 1} loss {mean:.4f} {speed:.0f} tokens/s", flush=True)
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            save(model, tok, out / "pocket-base")
            progress = {"exact": exact, "optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(progress, state)
    with torch.no_grad():
        bits = model(input_ids=torch.from_numpy(heldout), labels=torch.from_numpy(heldout)).loss
    return {
        "tokens": int(data.size),
        "seconds": round(time.monotonic() - started),
        "loss": round(float(numpy.mean(losses[-100:])), 4),
        "heldout_loss": round(float(bits), 4),
        "parameters": sum(p.numel() for p in model.parameters()),
    }
