"""The whole path of docs/SWAP.md, as a user types it: scan, plan, test, switch, a planted regression, the way back."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BINARY = os.environ.get("MAINS_BINARY", "mains")
EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "swap"
# The example's models live and end as of this day, whatever day it is.
DAY = "2026-11-28"
BEYOND = "2027-01-15"


class Path:
    """A folder with the example in it, a scripted provider, and an outlet before it."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {**os.environ, "OPENAI_API_KEY": "none", "XDG_STATE_HOME": str(folder / "state"),
                            "NO_COLOR": "1"}
        shutil.copytree(EXAMPLE / "app", folder / "app")
        self.provider = subprocess.Popen(
            [sys.executable, "-B", EXAMPLE / "provider.py", "--port", "0", "--broken", folder / "broken"],
            stdout=subprocess.PIPE, text=True)
        self.upstream = self.provider.stdout.readline().strip()
        self.outlet = None

    def mains(self, *arguments, expect=0):
        done = subprocess.run([BINARY, *arguments], cwd=self.folder, env=self.environment, text=True,
                              capture_output=True, timeout=300)
        assert done.returncode == expect, f"mains {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def serve(self, day):
        self.stop()
        self.outlet = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--as-of", day], cwd=self.folder,
                                       env=self.environment, stderr=subprocess.PIPE, text=True)
        for line in self.outlet.stderr:
            if found := re.search(r"at (http://\S+)", line):
                self.url = found.group(1)
                return
        raise AssertionError("the outlet did not start")

    def stop(self):
        if self.outlet:
            self.outlet.terminate()
            self.outlet.communicate(timeout=60)
            self.outlet = None

    def customers(self, count, seed):
        """Who answered how many of so many customers."""
        said = subprocess.run(
            [sys.executable, "-B", EXAMPLE / "customers.py", "--url", self.url, "--count", str(count), "--seed", str(seed)],
            check=True, text=True, capture_output=True, timeout=300).stdout
        answered = {who: int(times) for times, who in re.findall(r"(\d+) answered by (.+)", said)}
        assert sum(answered.values()) == count and not any(who.startswith("HTTP") for who in answered), answered
        return answered

    def status(self, expect=0):
        lines = json.loads(self.mains("swap", "status", "--json", expect=expect))["swaps"]
        assert len(lines) == 1, lines
        return lines[0]


def configure(path):
    """The plan that scan wrote, with the scripted provider behind it and content kept."""
    file = path.folder / "mains.toml"
    text = file.read_text().replace('provider = "openai"\n', f'provider = "openai"\nbase_url = "{path.upstream}/v1"\n')
    file.write_text(text + '\n[record]\ncontent = "keep"\n')


def walk(path):
    found = path.mains("scan", "app", "--write", "mains.toml", "--as-of", DAY, expect=1)
    assert re.search(r"DYING +openai/gpt-4o", found), found
    configure(path)
    path.serve(DAY)
    assert path.customers(900, seed=1) == {"openai/gpt-4o": 900}
    yield "scan finds the dying model, its plan serves, and its traffic is kept"

    plan = json.loads(path.mains("swap", "plan", "gpt-4o", "--route", "gpt-4o", "--as-of", DAY, "--json"))
    first = plan["candidates"][0]
    assert first["target"] == "openai/gpt-6-luna", plan["candidates"]
    yield "plan names the provider's successor first"

    test = ["swap", "test", "--route", "gpt-4o", "--from", "openai/gpt-4o", "--per-second", "1000", "--max-usd", "1",
            "--yes"]
    worse = path.mains(*test, "--to", "openai/gpt-4o-mini", "--out", "mini", "--margin", "2")
    assert worse.startswith("not worse"), worse
    good = path.mains(*test, "--to", "openai/gpt-6-luna")
    assert good.startswith("not worse: openai/gpt-6-luna in place of openai/gpt-4o"), good
    assert path.mains("swap", "verify", "swap/report.json").startswith("not worse")
    yield "the replacement passes on the kept traffic, and its report verifies"

    path.mains("swap", "switch", "swap/report.json", "--steps", "50,60,100", "--hold", "0s", "--requests-min", "100",
               "--by", "2027-01-10", "--yes")
    assert "# the model itself" in (path.folder / "mains.toml").read_text(), "comments are kept"
    # Five standard deviations from either edge of the second step.
    answered = path.customers(280, seed=2)
    assert answered["openai/gpt-6-luna"] >= 100, answered
    status = path.status()
    assert (status["stage"], status["share_percent"]) == ("canary", 60), status
    yield "the canary goes up a step, and everybody is answered"

    (path.folder / "broken").touch()
    path.customers(400, seed=3)
    status = path.status(expect=1)
    assert (status["stage"], status["why"]) == ("rolled back", "more answers declined"), status
    assert set(path.customers(50, seed=4)) == {"openai/gpt-4o"}
    yield "a planted regression rolls it back by itself, and everybody is answered"

    path.serve(BEYOND)
    (path.folder / "broken").unlink()
    assert set(path.customers(20, seed=5)) == {"openai/gpt-6-luna"}
    yield "rehearsed: on the day after its end the old model is out of the route"

    path.stop()
    assert "the log verifies" in path.mains("ledger", "verify")
    shown = json.loads(path.mains("ledger", "show", "--type", "swap", "--json"))
    actions = [line["leaf"]["action"] for line in shown["leaves"]]
    assert actions == ["tested", "tested", "switched", "stepped", "rolled_back"], actions
    yield "the ledger verifies, and tells of the tests, the switch, its step and its end"


def main():
    passed, failed = 0, None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(pathlib.Path(folder))
        try:
            for done in walk(path):
                passed += 1
                print(f"test {done} ... ok", flush=True)
        except (AssertionError, subprocess.SubprocessError, OSError, KeyError) as error:
            failed = error
            print(f"test after these ... FAILED: {error!r}", flush=True)
        finally:
            path.stop()
            path.provider.terminate()
            path.provider.wait(timeout=60)
    print(f"test result: {'FAILED' if failed else 'ok'}. {passed} passed; {1 if failed else 0} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
