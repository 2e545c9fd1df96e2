"""The engine: whatever the company, a sequence's codes are those it gets alone, and no sequence harms another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from toy_model import TOY, TOY_MELODY, TOY_STEREO, ToyCodec, ToyRunner, ToyTokenizer

from tunesmith.errors import GenerationCancelled, InvalidRequest, QueueFull
from tunesmith.generator import never_cancelled
from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.delay_pattern import delay
from tunesmith.musicgen.engine import Engine, EngineLimits
from tunesmith.musicgen.runner import Codes
from tunesmith.musicgen.sampling import SamplerSettings, guide
from tunesmith.musicgen.sequence import Sequence, SequenceRequest
from tunesmith.neural.batch_sequence import State
from tunesmith.neural.sampling import sample, uniforms

SPECIAL = TOY.special_code


def engine_of(runner: ToyRunner | None = None, limits: EngineLimits | None = None) -> Engine:
    runner = runner or ToyRunner()
    codec = ToyCodec(runner.architecture)
    return Engine(runner, codec, ToyTokenizer(), limits or EngineLimits())  # type: ignore[arg-type]


def piece(
    prompt: tuple[int, ...] = (7, 8), frames: int = 20, seed: int = 1, settings: SamplerSettings | None = None,
    given: Codes | None = None,
) -> SequenceRequest:  # fmt: skip
    return SequenceRequest(prompt, frames, seed, settings or SamplerSettings(top_k=20), given=given)


def some_codes(frames: int, codebooks: int = 4) -> Codes:
    return np.random.default_rng(frames).integers(0, SPECIAL, (codebooks, frames))


def run_all(engine: Engine, sequences: list[Sequence], most: int = 3000) -> None:
    for _ in range(most):
        if all(sequence.ended for sequence in sequences):
            return
        engine.step()
    raise AssertionError("it does not come to an end")


def alone(request: SequenceRequest, architecture: Architecture = TOY) -> Codes:
    engine = engine_of(ToyRunner(architecture))
    return engine.run(engine.submit(request), lambda *_: None, never_cancelled)


def written_slowly(request: SequenceRequest) -> Codes:
    """One window, no batch, no engine: the model fed from the start for every single column."""
    runner, draws = ToyRunner(), uniforms(request.seed, request.frames, 4)
    texts = [request.prompt_ids, request.negative_ids] if request.guided else [request.prompt_ids]
    codes = np.full((4, request.frames), -1)
    codes[:, : request.given_frames] = some_codes(0) if request.given is None else request.given
    for column in range(1 + request.given_frames, 1 + request.frames + 3):
        fed = np.concatenate([np.full((4, 1), SPECIAL), delay(codes, TOY.delays, SPECIAL)[:, : column - 1]], axis=1)
        scores = []
        for row, text in enumerate(texts):
            runner.open_row(row, runner.encode_text(text) if text else None, 1000)
            scores.append(runner.extend(row, fed))
        logits = guide(scores[0], scores[1], request.settings.guidance_scale) if request.guided else scores[0]
        for codebook in range(4):
            frame = column - 1 - codebook
            if 0 <= frame < request.frames and codes[codebook, frame] < 0:
                drawn = sample(logits, np.full(4, draws[frame, codebook]), request.settings)
                codes[codebook, frame] = drawn[codebook]
    return codes


MIXED = [
    piece(),
    piece((1, 2, 3), 33, 2, SamplerSettings(guidance_scale=1)),
    piece((), 12, 3),
    piece((5,), 150, 4),
    piece((9, 9), 25, 5, SamplerSettings(temperature=0)),
    piece((4, 2), 40, 6, SamplerSettings(top_p=0.8, guidance_scale=5), given=some_codes(30)),
    replace(piece((4, 3), 30, 7), negative_ids=(11, 12)),
    piece((7, 8), 110, 8, given=some_codes(70)),
]


@pytest.mark.parametrize("request_", [MIXED[0], MIXED[1], MIXED[2], MIXED[4], MIXED[5], MIXED[6]])
def test_codes_are_those_of_the_slow_twin(request_: SequenceRequest) -> None:
    assert (alone(request_) == written_slowly(request_)).all()


@pytest.mark.parametrize("num_rows", [2, 3, 5, 16])
def test_eight_mixed_sequences_get_the_codes_that_each_gets_alone(num_rows: int) -> None:
    engine = engine_of(ToyRunner(num_rows=num_rows, fails_on={"encode_text": 99}))
    sequences = []
    for request in MIXED:
        sequences.append(engine.submit(request))
        for _ in range(3):
            engine.step()
    cancelled, failing = engine.submit(piece((6,), 200, 9)), engine.submit(piece((99,), 50, 10))
    for _ in range(40):
        engine.step()
    cancelled.cancel()
    run_all(engine, [*sequences, cancelled, failing])
    for request, sequence in zip(MIXED, sequences, strict=True):
        assert (sequence.result() == alone(request)).all()
    with pytest.raises(GenerationCancelled):
        cancelled.result()
    with pytest.raises(RuntimeError, match="breaks the encoder"):
        failing.result()


@pytest.mark.parametrize("architecture", [TOY, TOY_STEREO, TOY_MELODY], ids=["mono", "stereo", "melody"])
def test_every_code_is_written_and_none_is_special(architecture: Architecture) -> None:
    codes = alone(piece(frames=130), architecture)
    assert codes.shape == (architecture.decoder.num_codebooks, 130)
    assert codes.min() >= 0
    assert codes.max() < architecture.special_code


@pytest.mark.parametrize("given", [1, 30, 60, 100])
def test_given_codes_are_kept(given: int) -> None:
    codes = alone(piece(frames=120, given=some_codes(given)))
    assert (codes[:, :given] == some_codes(given)).all()


def test_a_longer_piece_begins_like_a_shorter_one_but_for_its_last_frames() -> None:
    assert (alone(piece(frames=50))[:, :48] == alone(piece(frames=60))[:, :48]).all()
    assert (alone(piece(frames=60)) == alone(piece(frames=100))[:, :60]).all()


@pytest.mark.parametrize("change", [
    {"prompt_ids": (7, 9)}, {"prompt_ids": (8, 7, 7)}, {"seed": 2}, {"negative_ids": (3,)},
    {"settings": SamplerSettings(top_k=20, guidance_scale=2)}, {"settings": SamplerSettings(top_k=20, temperature=2)},
    {"given": some_codes(5)},
])  # fmt: skip
def test_whatever_is_asked_for_changes_the_codes(change: dict[str, object]) -> None:
    assert (alone(replace(piece(), **change)) != alone(piece())).any()  # type: ignore[arg-type]


def test_a_melody_changes_the_codes_and_silence_is_no_melody() -> None:
    silent = np.eye(12, dtype=np.float32)[np.zeros(7, int)]
    heard = np.eye(12, dtype=np.float32)[np.arange(7)]
    plain = alone(piece(), TOY_MELODY)
    assert (alone(replace(piece(), melody=lambda _: silent), TOY_MELODY) == plain).all()
    assert (alone(replace(piece(), melody=lambda _: heard), TOY_MELODY) != plain).any()
    negative = alone(replace(piece(), negative_ids=(1, 2, 3, 4)), TOY_MELODY)
    assert (negative != plain).any()


def test_every_window_asks_for_its_own_stretch_of_the_melody() -> None:
    starts: list[int] = []

    def melody(window: object) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        starts.append(window.start)  # type: ignore[attr-defined]
        return np.eye(12, dtype=np.float32)[np.zeros(7, int)]

    alone(replace(piece(frames=130), melody=melody), TOY_MELODY)
    assert starts == [0, 36, 72]


def test_admission_does_one_piece_of_work_between_two_steps_of_the_others() -> None:
    runner = ToyRunner(num_rows=4)
    engine = engine_of(runner, EngineLimits(chunk=8))
    first = engine.submit(piece(frames=59))
    while first.steps_done < 3:
        engine.step()
    runner.calls.clear()
    second = engine.submit(piece((3,), 59, given=some_codes(50)))
    while second.state is not State.RUNNING:
        engine.step()
    work = "".join({"step": "s", "copy_row": "c"}.get(call, "p") for call in runner.calls)
    assert "pp" not in work
    assert runner.calls.count("extend") == 2 * 7  # 50 codes and the special one, less the one that is stepped


def test_a_long_prompt_does_not_keep_a_short_one_waiting() -> None:
    engine = engine_of(ToyRunner(num_rows=4), EngineLimits(chunk=2))
    long, short = engine.submit(piece(frames=59, given=some_codes(58))), engine.submit(piece((3,), 10))
    run_all(engine, [short])
    assert long.state is State.PREFILLING
    run_all(engine, [long])


def test_a_cancelled_sequence_frees_its_rows_at_the_next_step() -> None:
    runner = ToyRunner(num_rows=2)
    engine = engine_of(runner)
    first, second = engine.submit(piece(frames=59)), engine.submit(piece((3,), frames=10))
    for _ in range(10):
        engine.step()
    assert second.state is State.WAITING
    first.cancel()
    engine.step()
    assert first.state is State.CANCELLED
    assert second.rows == (0, 1)
    run_all(engine, [second])
    assert not runner.rows


def test_a_sequence_cancelled_while_it_waits_leaves_the_queue() -> None:
    engine = engine_of(ToyRunner(num_rows=2), EngineLimits(max_waiting=1))
    first = engine.submit(piece())
    engine.step()
    second = engine.submit(piece())
    second.cancel()
    engine.step()
    assert second.state is State.CANCELLED
    third = engine.submit(piece())
    run_all(engine, [first, third])
    assert (third.result() == alone(piece())).all()


def test_the_queue_is_bounded() -> None:
    engine = engine_of(limits=EngineLimits(max_waiting=3))
    for _ in range(3):
        engine.submit(piece())
    with pytest.raises(QueueFull, match="3 requests are waiting"):
        engine.submit(piece())


def test_the_first_in_the_queue_is_not_passed_by_smaller_ones() -> None:
    engine = engine_of(ToyRunner(num_rows=3))
    unguided = SamplerSettings(guidance_scale=1)
    sequences = [engine.submit(piece(frames=30, settings=settings)) for settings in (None, None, unguided, None)]
    ended: list[int] = []
    while len(ended) < 4:
        engine.step()
        ended += [n for n, sequence in enumerate(sequences) if sequence.ended and n not in ended]
        assert not (sequences[2].rows and sequences[1].state is State.WAITING)
    assert ended[0] == 0
    assert ended.index(1) < ended.index(3)


def test_rows_in_use_are_the_first_ones() -> None:
    runner = ToyRunner(num_rows=6)
    engine = engine_of(runner)
    sequences = [engine.submit(piece((n,), frames)) for n, frames in enumerate((10, 55, 50), start=1)]
    run_all(engine, sequences[:1])
    engine.step()
    assert sorted(row for sequence in sequences for row in sequence.rows) == [0, 1, 2, 3]
    assert sorted(runner.rows) == [0, 1, 2, 3]


def test_equal_texts_are_encoded_once() -> None:
    runner = ToyRunner()
    engine = engine_of(runner, EngineLimits(remembered_texts=2))
    run_all(engine, [engine.submit(piece((n % 2 + 1,), 61, n)) for n in range(6)])
    assert runner.calls.count("encode_text") == 2


@pytest.mark.parametrize("method", ["open_row", "copy_row"])
def test_what_fails_for_one_sequence_fails_it_alone(method: str) -> None:
    runner = ToyRunner(num_rows=4, fails_on={method: 3})
    engine = engine_of(runner)
    good, bad = engine.submit(piece(frames=10)), engine.submit(piece((2,), 59))
    run_all(engine, [good, bad])
    assert (good.result() == alone(piece(frames=10))).all()
    with pytest.raises(RuntimeError, match=f"{method} broke"):
        bad.result()
    assert not runner.rows


def test_a_step_that_fails_is_told_to_all_who_took_part_and_the_engine_stays_usable() -> None:
    runner = ToyRunner(num_rows=4, fails_on={"step": 5})
    engine = engine_of(runner)
    sequences = [engine.submit(piece((n,), 30)) for n in (1, 2, 3)]
    run_all(engine, sequences)
    assert [sequence.state for sequence in sequences] == [State.FAILED, State.FAILED, State.FINISHED]
    assert (sequences[2].result() == alone(piece((3,), 30))).all()
    with pytest.raises(RuntimeError, match="step broke"):
        sequences[0].result()


def test_steps_count_up_to_their_total() -> None:
    for request in (piece(frames=130), piece(frames=90, given=some_codes(10))):
        engine = engine_of()
        seen: list[tuple[int, int]] = []

        def on_step(done: int, total: int, seen: list[tuple[int, int]] = seen) -> None:
            seen.append((done, total))

        engine.run(engine.submit(request), on_step, never_cancelled)
        done = [step for step, _ in seen]
        assert done == sorted(done)
        assert seen[-1] == (seen[0][1], seen[0][1])


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
def test_streamed_codes_joined_are_the_codes(size: int) -> None:
    request = piece(frames=130, given=some_codes(10))
    engine = engine_of()
    sequence = engine.submit(request)
    pieces = list(engine.stream(sequence, size, lambda *_: None, never_cancelled))
    assert all(part.shape[1] == size for part in pieces[:-1])
    assert (np.concatenate(pieces, axis=1) == alone(request)).all()


def test_frames_are_streamed_long_before_the_end() -> None:
    engine = engine_of()
    sequence = engine.submit(piece(frames=59))
    next(engine.stream(sequence, 5, lambda *_: None, never_cancelled))
    assert sequence.steps_done == 8


def test_who_stops_listening_gives_the_rows_back() -> None:
    runner = ToyRunner()
    engine = engine_of(runner)
    pieces = engine.stream(engine.submit(piece()), 5, lambda *_: None, never_cancelled)
    next(pieces)
    pieces.close()
    assert not runner.rows


def test_cancelling_from_a_callback_ends_the_run() -> None:
    engine = engine_of()
    sequence = engine.submit(piece(frames=59))
    with pytest.raises(GenerationCancelled):
        engine.run(sequence, lambda *_: None, lambda: sequence.steps_done >= 4)
    assert sequence.steps_done == 4


def test_threads_share_the_batch_and_get_their_own_codes() -> None:
    runner = ToyRunner(num_rows=8)
    engine = engine_of(runner)
    got: dict[int, Codes] = {}

    def work(seed: int) -> Callable[[], None]:
        def run() -> None:
            got[seed] = engine.run(engine.submit(piece(frames=59, seed=seed)), lambda *_: None, never_cancelled)

        return run

    threads = [threading.Thread(target=work(seed)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all((got[seed] == alone(piece(frames=59, seed=seed))).all() for seed in range(6))


def test_guidance_needs_two_rows() -> None:
    engine = engine_of(ToyRunner(num_rows=1))
    with pytest.raises(InvalidRequest, match=r"guidance_scale: .* 2 rows"):
        engine.submit(piece())
    unguided = piece(settings=SamplerSettings(top_k=20, guidance_scale=1))
    assert (engine.run(engine.submit(unguided), lambda *_: None, never_cancelled) == alone(unguided)).all()
