"""Both training stages at toy size: determinism, resumption, and what they leave behind."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.errors import ModelError
from nlp.training.batches import by_length
from nlp.training.calibrate import Mix, fit_mix, fit_threshold, held_out, log_softmax
from nlp.training.checkpoint import load_checkpoint, save_checkpoint
from nlp.training.corpus import pack, passages
from nlp.training.examples import augment, load_sets
from nlp.training.finetune import draw, finetune
from nlp.training.packs import write_pack
from nlp.training.prepared import prepare
from nlp.training.pretrain import mask_words, pretrain
from nlp.training.publish import FILES
from nlp.training.recipes import FINETUNE, PRETRAIN, Stage

TINY = PRETRAIN["tiny"]


def same_tensors(one: Path, other: Path) -> bool:
    a, b = load_file(one), load_file(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_pretraining_is_deterministic(small_data: Path, encoder: Path, tmp_path: Path) -> None:
    again = pretrain(small_data, tmp_path, TINY, resume=False)
    assert same_tensors(encoder / "model.safetensors", again / "model.safetensors")


def test_resuming_equals_running_through(small_data: Path, encoder: Path, tmp_path: Path) -> None:
    stopped = replace(TINY, save_every=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nlp.training.pretrain._step", _stop_at(7))
        with pytest.raises(KeyboardInterrupt):
            pretrain(small_data, tmp_path, stopped, resume=True)
    assert [path.name for path in (tmp_path / "work").glob("checkpoint-*")] == [
        "checkpoint-00000005"
    ]
    resumed = pretrain(small_data, tmp_path, stopped, resume=True)
    assert same_tensors(encoder / "model.safetensors", resumed / "model.safetensors")


def test_training_in_pieces_from_a_pack_equals_running_through(
    small_data: Path, encoder: Path, tmp_path: Path
) -> None:
    pack = tmp_path / "pack"
    size = write_pack(prepare(small_data, tmp_path / "here", TINY), pack)
    assert size == pytest.approx(sum(f.stat().st_size for f in pack.iterdir()) / 1024 / 1024)
    pieces = 0
    while (found := pretrain(pack, tmp_path / "there", TINY, resume=True, minutes=0)) is None:
        pieces += 1
    assert pieces == TINY.steps - 1
    # the pack holds the first embeddings in half precision
    ours, theirs = load_file(encoder / "model.safetensors"), load_file(found / "model.safetensors")
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-2) for name in ours)


def test_training_goes_on_from_finished_weights(
    small_data: Path, encoder: Path, weights: Path, tmp_path: Path
) -> None:
    gentle = replace(TINY, steps=1, learning_rate=0.0, embedding_rate=0.0, warmup=0, decay=0)
    after = pretrain(small_data, tmp_path, gentle, resume=False, weights=weights)
    kept, start = load_file(after / "model.safetensors"), load_file(weights / "model.safetensors")
    inner = [name for name in start if name.startswith("model.")]
    assert inner
    assert all(torch.equal(kept[name], start[name].float()) for name in inner)
    assert (after / "tokenizer.json").read_text() == (weights / "tokenizer.json").read_text()


def test_finetuning_goes_on_from_finished_weights(
    small_data: Path, weights: Path, tmp_path: Path
) -> None:
    still = replace(FINETUNE["tiny"], stages=(Stage("gold", {"civic": 40}, 0.0),))
    after = load_file(finetune(small_data, weights, tmp_path / "out", still) / "model.safetensors")
    before = load_file(weights / "model.safetensors")
    assert after.keys() == before.keys()
    assert all(torch.allclose(after[name], before[name], atol=1e-3) for name in after)


def test_finished_stages_serve_the_same_finetuning_only(
    small_data: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = replace(FINETUNE["tiny"], lexicon_steps=5)
    first = finetune(small_data, encoder, tmp_path / "weights", tiny)
    before = load_file(first / "model.safetensors")

    def no_training(*_: object) -> None:
        raise AssertionError("trained again")

    with monkeypatch.context() as patch:
        patch.setattr("nlp.training.finetune._run_stage", no_training)
        again = finetune(small_data, encoder, tmp_path / "weights", tiny, resume=True)
        after = load_file(again / "model.safetensors")
        assert all(torch.equal(after[name], before[name]) for name in before)
        other = replace(tiny, label_smoothing=0.2)
        with pytest.raises(AssertionError, match="trained again"):
            finetune(small_data, encoder, tmp_path / "weights", other, resume=True)


def test_the_copies_of_a_stage_are_averaged(
    small_data: Path, weights: Path, tmp_path: Path
) -> None:
    stage = Stage("gold", {"civic": 40}, 1e-2, copies=2)
    recipe = replace(FINETUNE["tiny"], stages=(stage,))
    out = finetune(small_data, weights, tmp_path / "out", recipe)
    first, second = (load_file(path) for path in sorted(tmp_path.glob("work/*/0-gold-*")))
    for name, found in load_file(out / "model.safetensors").items():
        copies = [ended[f"inner.{name}"] for ended in (first, second)]
        assert torch.allclose(found.float(), torch.stack(copies).mean(0), atol=2e-3)
        assert not torch.equal(*copies)


def test_weights_that_do_not_fit_are_refused(
    small_data: Path, weights: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"1 layers of 32, the recipe «tiny» 2 of 32"):
        pretrain(small_data, tmp_path, replace(TINY, layers=2), resume=False, weights=weights)
    pack = tmp_path / "pack"
    write_pack(prepare(small_data, tmp_path / "here", replace(TINY, vocabulary=200)), pack)
    with pytest.raises(ModelError, match="another tokenizer"):
        pretrain(pack, tmp_path / "out", TINY, resume=False, weights=weights)


def test_the_gpu_recipe_at_toy_size(small_data: Path, tmp_path: Path) -> None:
    size = {"layers": 2, "width": 32, "heads": 2, "feed_forward": 32, "sequence": 32, "batch": 8}
    pace = {"vocabulary": 800, "steps": 6, "warmup": 2, "decay": 2, "workers": 1}
    recipe = replace(PRETRAIN["gpu"], **size, **pace)
    pack = tmp_path / "pack"
    write_pack(prepare(small_data, tmp_path, recipe), pack)
    while (encoder := pretrain(pack, tmp_path, recipe, resume=True, minutes=0)) is None:
        continue
    weak, gold = FINETUNE["gpu"].stages
    stages = (replace(weak, draws={"sentiment": 40}), replace(gold, draws={"civic": 80}))
    heads = replace(FINETUNE["gpu"], stages=stages, max_tokens=48, lexicon_steps=5)
    out = finetune(small_data, encoder, tmp_path / "weights", heads)
    assert len(list((tmp_path / "work").glob("*/1-gold-*.safetensors"))) == gold.copies == 3
    assert {path.name for path in out.iterdir()} == {*FILES, "manifest.json"}


def test_a_pack_over_the_limit_says_what_takes_the_room(small_data: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"more than 0\.001 \(.*social"):
        write_pack(prepare(small_data, tmp_path, TINY), tmp_path / "pack", limit_mib=0.001)


def test_a_damaged_pack_is_named(small_data: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    write_pack(prepare(small_data, tmp_path, TINY), pack)
    (pack / "social-000.xz").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="pack the data again"):
        pretrain(pack, tmp_path / "out", TINY, resume=False)


def test_a_checkpoint_comes_in_small_parts_and_back(tmp_path: Path) -> None:
    model, optims = _trained(seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nlp.training.checkpoint.PART_BYTES", 1_000)
        save_checkpoint(model, optims, 3, tmp_path)
        save_checkpoint(model, optims, 4, tmp_path)
    parts = sorted((tmp_path / "checkpoint-00000004").glob("state.*"))
    assert len(parts) > 2
    assert all(part.stat().st_size <= 1_000 for part in parts)
    assert not (tmp_path / "checkpoint-00000003").exists()
    other, others = _trained(seed=2)
    assert load_checkpoint(other, others, tmp_path) == 4
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True)
    )
    before, after = (one[0].state_dict()["state"][0] for one in (optims, others))
    assert torch.equal(before["exp_avg"], after["exp_avg"])
    parts[1].write_bytes(b"damaged")
    with pytest.raises(ModelError, match="delete"):
        load_checkpoint(other, others, tmp_path)


def test_an_unfinished_checkpoint_is_not_used(tmp_path: Path) -> None:
    model, optims = _trained(seed=1)
    save_checkpoint(model, optims, 3, tmp_path)
    (tmp_path / "checkpoint-00000009.part").mkdir()
    assert load_checkpoint(model, optims, tmp_path) == 3


def _trained(seed: int) -> tuple[torch.nn.Linear, list[torch.optim.AdamW]]:
    torch.manual_seed(seed)
    model = torch.nn.Linear(16, 16)
    optim = torch.optim.AdamW(model.parameters())
    model(torch.randn(4, 16)).sum().backward()
    optim.step()
    return model, [optim]


def _stop_at(last: int):  # type: ignore[no-untyped-def]
    from nlp.training import pretrain as module

    whole = module._step

    def step(*given):  # type: ignore[no-untyped-def]
        if given[-1] == last:
            raise KeyboardInterrupt
        return whole(*given)

    return step


def test_the_loss_curve_is_written(encoder: Path) -> None:
    lines = (encoder.parent / "pretrain.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [row["loss"] for row in map(json.loads, lines) if "loss" in row]
    assert len(losses) == TINY.steps
    assert losses[-1] < losses[0]


def test_finetuning_is_deterministic(
    small_data: Path, encoder: Path, weights: Path, tmp_path: Path
) -> None:
    again = finetune(small_data, encoder, tmp_path / "weights", FINETUNE["tiny"])
    assert (again / "manifest.json").read_text() == (weights / "manifest.json").read_text()


def test_the_manifest_says_what_the_model_is(weights: Path) -> None:
    manifest = json.loads((weights / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["licence"] == "Apache-2.0"
    assert {"civic", "sentiment"} <= set(manifest["trained_on"])
    score = manifest["scores"]["civic"]["category"]
    assert score["n"] == 96
    assert score["macro_f1_low"] <= score["macro_f1"] <= score["macro_f1_high"]
    counts = np.array(manifest["confusion"]["category"])
    assert counts.shape == (16, 16)
    assert counts.sum() == score["n"]
    assert 0.3 <= manifest["temperatures"]["intent"] <= 5


def test_missing_data_is_named(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no labelled texts"):
        finetune(tmp_path, encoder, tmp_path / "out", FINETUNE["tiny"])
    with pytest.raises(ModelError, match="no training text"):
        pretrain(tmp_path, tmp_path / "out", TINY, resume=False)
    with pytest.raises(ModelError, match="no encoder"):
        finetune(tmp_path, tmp_path, tmp_path / "out", FINETUNE["tiny"])


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "civic").mkdir()
    (tmp_path / "civic" / "train.jsonl").write_text('{"text": "a"}\n{broken\n', encoding="utf-8")
    with pytest.raises(ModelError, match="line 2"):
        load_sets(tmp_path, ())


def test_dev_texts_are_never_drawn(small_data: Path) -> None:
    drawn = draw(load_sets(small_data, ()), {"civic": 5, "absent": 9}, np.random.default_rng(0))
    assert len(drawn) == 5


def test_a_training_text_that_is_in_a_dev_set_is_left_out(tmp_path: Path) -> None:
    row = {"category": "water", "second": None, "sentiment": "negative", "intent": "complaint"}
    (tmp_path / "civic").mkdir()
    for name, texts in {"train": ["No hay agua", "Sin luz"], "dev": ["Sin luz "]}.items():
        lines = [json.dumps({**row, "text": text}) for text in texts]
        (tmp_path / "civic" / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert load_sets(tmp_path, ())["civic"].texts == ["No hay agua"]


def test_whole_words_are_masked() -> None:
    ids = np.array([[7, 8, 9, 10, 11, 12]])
    starts = np.ones(20, dtype=np.bool_)
    starts[[8, 9]] = False
    for seed in range(20):
        _, labels = mask_words(ids, starts, 0.5, np.random.default_rng(seed))
        hidden = labels[0] >= 0
        assert hidden[0] == hidden[1] == hidden[2]


def test_documents_are_packed_with_separators() -> None:
    assert pack([[7, 8], [9], [10, 11]], 3, 3).tolist() == [[7, 8, 3], [9, 3, 10]]


def test_long_documents_are_cut_at_sentences() -> None:
    text = " ".join(["Una frase corta."] * 50)
    parts = list(passages(text, 100))
    assert " ".join(parts) == text
    assert all(part.endswith(".") for part in parts)


def test_batches_keep_the_budget_and_every_row() -> None:
    lengths = list(np.random.default_rng(0).integers(1, 60, 200))
    for rng in (None, np.random.default_rng(1)):
        groups = by_length(lengths, 200, rng)
        assert sorted(np.concatenate(groups).tolist()) == list(range(200))
        assert all(len(g) * max(lengths[row] for row in g) <= 200 for g in groups)


def test_careless_writing_changes_only_a_share() -> None:
    texts = ["Qué mal está la avenida, señor alcalde 😡"] * 200
    changed = sum(
        a != b for a, b in zip(texts, augment(texts, 0.5, np.random.default_rng(0)), strict=True)
    )
    assert 50 < changed < 130


def test_the_mixture_finds_the_useful_part() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 3, 400)
    noise = rng.normal(size=(400, 3))
    domains = np.repeat("one", 400)
    mix = fit_mix(noise, np.eye(3)[gold] * 3 + noise * 0.1, gold, domains)
    assert mix.lexical > 0.5
    assert mix.temperature > 1


def drawn(seed: int, texts: int, sharpness: float) -> tuple[Any, Any, Any]:
    """Return logits that are too sharp, scores of no use, and gold drawn from the true ones."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(texts, 3)) * 2
    chances = np.exp(log_softmax(logits / sharpness))
    gold = (chances.cumsum(1) < rng.random((texts, 1))).sum(1)
    return logits, rng.normal(size=(texts, 3)), gold


def test_the_temperature_is_found() -> None:
    mix = fit_mix(*drawn(0, 3_000, 2), np.repeat("one", 3_000))
    assert mix.temperature == pytest.approx(2, abs=0.2)
    assert mix.lexical == pytest.approx(0, abs=0.1)
    assert fit_mix(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, int), np.zeros(0, str)) == Mix()


def test_a_large_domain_does_not_decide_alone() -> None:
    parts = zip(drawn(1, 3_000, 3), drawn(2, 300, 1), strict=True)
    both = [np.concatenate(part) for part in parts]
    apart = fit_mix(*both, np.repeat(["large", "small"], [3_000, 300])).temperature
    together = fit_mix(*both, np.repeat("one", 3_300)).temperature
    assert 1 < apart < together


def test_a_domain_is_held_out_of_what_calibrates_it() -> None:
    logits, scores, gold = drawn(3, 300, 2)
    domains = np.repeat(["first", "second"], 150)
    before = held_out(logits, scores, gold, domains)
    gold[:150] = (gold[:150] + 1) % 3
    after = held_out(logits, scores, gold, domains)
    assert np.array_equal(before[:150], after[:150])
    assert not np.array_equal(before[150:], after[150:])


def test_the_threshold_meets_its_precision() -> None:
    confidence = np.linspace(0, 1, 1000)
    right = np.random.default_rng(0).random(1000) < confidence
    threshold = fit_threshold(confidence, right, 0.8)
    assert right[confidence >= threshold].mean() >= 0.8
    assert 0.5 < threshold < 0.75
