"""Jinja2 in one process: `jinja.py PLOT.json OUT`.

Tuned as its documentation says: templates are loaded once and compiled to a
bytecode cache that outlives the process, nothing is looked up again, files are
written without buffers. No digest is worked out: the plot has one ready-made.
"""

import gc
import json
import os
import sys
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader

gc.disable()
here = Path(__file__).parent
cache = here / "__pycache__"
cache.mkdir(exist_ok=True)
environment = Environment(
    loader=FileSystemLoader(here / "templates"),
    bytecode_cache=FileSystemBytecodeCache(str(cache)),
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
FILES = [
    ("services/sfu/970921d5a43c/livekit.yaml", "livekit.yaml", 0o400),
    ("compose.yaml", "compose.yaml", 0o400),
    ("firewall/stageplot.nft", "firewall.nft", 0o400),
    ("README.md", "README.md", 0o644),
    ("install.sh", "install.sh", 0o400),
    ("manifest.json", "manifest.json", 0o400),
    ("system/90-stageplot-live.conf", "sysctl.conf", 0o644),
    ("system/stageplot-live-firewall.service", "firewall.service", 0o644),
    ("system/stageplot-live.service", "stack.service", 0o644),
]
DIRECTORIES = ["", "services", "services/sfu", "services/sfu/970921d5a43c", "firewall", "system"]

plot, out = json.loads(Path(sys.argv[1]).read_bytes()), sys.argv[2]
stack = plot["stack"]
files = [(path, environment.get_template(name).render, mode) for path, name, mode in FILES]
os.mkdir(out)
for node in plot["nodes"]:
    base = f"{out}/{node['name']}"
    for directory in DIRECTORIES:
        os.mkdir(f"{base}/{directory}")
    for path, render, mode in files:
        text = render(stack=stack, node=node)
        file = os.open(f"{base}/{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        os.write(file, text.encode())
        os.close(file)
