"""Starts stand-ins and an outlet in front of them, for tests of clients. Nothing leaves this machine."""

import json
import os
import re
import subprocess
import tempfile
import urllib.request

BINARY = os.environ["MAINS_BINARY"]


class Outlet:
    """Two scripted upstreams and an outlet, in a folder of their own; all end with it."""

    def __init__(self, local_models=(), extra=""):
        self.folder = tempfile.TemporaryDirectory(prefix="mains-clients-")
        self.processes = []
        self.upstreams = {name: self.stand_in(name) for name in ("openai", "anthropic")}
        config = os.path.join(self.folder.name, "mains.toml")
        self.config_path = config
        with open(config, "w") as file:
            file.write(self.config(local_models) + extra)
        self.process = self.start([BINARY, "serve", "--config", config])
        self.url = self.ready()

    def start(self, command):
        environment = {**os.environ, "MAINS_LOG": "warn", "NO_COLOR": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        self.processes.append(process)
        return process

    def stand_in(self, provider):
        process = self.start([BINARY, "stand-in", "--provider", provider, "--listen", "127.0.0.1:0", "--as-of", "2026-11-24"])
        line = process.stdout.readline()
        found = re.search(r"http://[\d.:]+", line)
        assert found, f"the stand-in for {provider} did not say where it listens: {line!r}"
        return found[0]

    def ready(self):
        """Reads the outlet's words until it says where it listens."""
        said = []
        for line in self.process.stderr:
            said.append(line)
            found = re.search(r"http://(127\.0\.0\.1:\d+)", line)
            if found:
                return f"http://{found[1]}"
        raise AssertionError("the outlet did not start: " + "".join(said))

    def config(self, local_models):
        openai, anthropic = self.upstreams["openai"], self.upstreams["anthropic"]
        text = f"""
[serve]
listen = "127.0.0.1:0"
data = "{self.folder.name}/data"
[[upstream]]
name = "openai"
provider = "openai"
base_url = "{openai}/v1"
[[upstream]]
name = "anthropic"
provider = "anthropic"
base_url = "{anthropic}/v1"
"""
        routes = {
            "gpt-4o-mini": ["openai/gpt-4o-mini"],
            "claude-sonnet-4-5": ["anthropic/claude-sonnet-4-5"],
            "gpt-over-claude": ["anthropic/claude-sonnet-4-5"],
            "claude-over-gpt": ["openai/gpt-4o-mini"],
            "text-embedding-3-small": ["openai/text-embedding-3-small"],
            "gpt-3.5-turbo": ["openai/gpt-3.5-turbo", "openai/gpt-4o-mini"],
            "only-dead": ["openai/gpt-3.5-turbo"],
        }
        if local_models:
            text += '[[upstream]]\nname = "here"\nprovider = "local"\n'
        for model in local_models:
            routes[model] = [f"here/{model}"]
        for model, targets in routes.items():
            text += f'[[route]]\nmodel = "{model}"\ntargets = {json.dumps(targets)}\n'
        return text

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as reply:
            return json.load(reply)

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(timeout=20)
            process.stdout.close()
            process.stderr.close()
        self.folder.cleanup()


def models_folder():
    """Where local models lie, by the same rule as the binary."""
    if "MAINS_MODELS" in os.environ:
        return os.environ["MAINS_MODELS"]
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(data, "mains", "models")
