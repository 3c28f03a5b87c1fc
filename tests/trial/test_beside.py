"""Work that copies of this process share comes to what one does alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from ward.trial.beside import Progress, beside

SCRIPT = """
import json, sys
from pathlib import Path
from tests.trial import made
from ward.trial.candidates import candidates_of, parse_grid
from ward.trial.run import Patient, Wanted, run
from ward.trial import sweep

sweep._LOT = 1_000
stays = {f"s{n}": made.wandering(n, 500) for n in range(5)}
end = max(int(r.time.max()) for r in stays.values())
patients = [Patient(name, made.START, end, len(r), made.RULES) for name, r in stays.items()]
grid = parse_grid("spo2-below-88: 85..93/2 x 1m,10m".replace("x", "\\u00d7"), made.RULES)
wanted = Wanted(candidates_of((), grid, made.RULES))
for processes in (1, 2, 3, 9):
    told = []
    answer = run(patients, lambda some: [stays[p.id] for p in some], wanted,
                 lambda part, what: told.append(part), int, processes=processes)
    assert told == sorted(told) and len(told) > 10, told
    print(json.dumps(answer, sort_keys=True))
"""


def parted(number: int, progress: Progress) -> tuple[int, int]:
    progress(0.5)
    progress(1.0)
    return number, os.getpid()


def in_a_process(script: str) -> list[str]:
    """pytest has threads: copies are made of a process of its own."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_trial_answers_the_same_whoever_works_on_it() -> None:
    answers = in_a_process(SCRIPT)
    assert len(answers) == 4
    assert len(answers[0]) > 1_000
    assert len(set(answers)) == 1


def test_alone_it_tells_how_far_it_is() -> None:
    told: list[float] = []
    found = beside(parted, [1, 3], told.append)
    assert found == [(0, os.getpid()), (1, os.getpid())]
    assert told == [0.125, 0.25, 0.625, 1.0]


def test_what_a_copy_raises_is_raised_here_and_a_dead_one_is_missed() -> None:
    lines = in_a_process("""
import os, signal
from ward.errors import InvalidError
from ward.trial.beside import beside

def refuse(number, progress):
    if number:
        raise InvalidError("too much", field="start")
    return os.getpid()

def die(number, progress):
    os.kill(os.getpid(), signal.SIGKILL)

made = beside(lambda n, _: os.getpid(), [1] * 4, lambda _: None, 2)
print(made[0] == made[2] != made[1] == made[3] != os.getpid())
for work in (refuse, die):
    try:
        beside(work, [1, 1], lambda _: None, 2)
    except (InvalidError, ChildProcessError) as error:
        print(type(error).__name__)
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("nobody is left")
""")
    assert lines == ["True", "InvalidError", "ChildProcessError", "nobody is left"]


def test_copies_end_with_who_asked() -> None:
    script = """
import os, time
from ward.trial.beside import beside

def slow(number, progress):
    print(os.getpid(), flush=True)
    while True:
        progress(0.1)
        time.sleep(0.01)

beside(slow, [1, 1], lambda _: None, 2)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        copies = {process.stdout.readline() for _ in range(2)}
        os.kill(process.pid, signal.SIGKILL)
        # The end of what they write comes when the last of them has gone.
        assert process.communicate(timeout=60)[0] == ""
    assert len(copies) == 2
