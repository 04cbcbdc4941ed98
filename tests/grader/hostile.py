"""Submissions that mean harm: {name: code}. Each is put in front of a wrong answer, and must not
become right by it.

`STAGE` says where a path stands that the code may try to reach: @RESULT@, where the result will be
written; @SECRET@, a file of the teacher's; @OTHER@, another student's file.
"""

HOSTILE = {
    "leaves by os._exit": "import os; os._exit(0)",
    "leaves by sys.exit": "import sys; sys.exit(0)",
    "raises SystemExit": "raise SystemExit(0)",
    "leaves when it is called": "import os\ndef relu(x): os._exit(0)\ndef relu_backward(dout, x): "
                                "os._exit(0)",
    "leaves at the end": "import atexit, os; atexit.register(lambda: os._exit(0))",
    "never ends": "while True: pass",
    "never ends and catches everything": """
while True:
    try:
        while True: pass
    except BaseException: pass
""",
    "sleeps": "import time; time.sleep(10 ** 6)",
    "ignores signals": """
import signal
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: pass
""",
    "never ends in C": "list(iter(int, 1))",
    "forks": """
import os
for _ in range(200):
    try: os.fork()
    except OSError: pass
""",
    "leaves a daemon": """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: time.sleep(1)
    os._exit(0)
""",
    "fills the memory": "x = []\nwhile True: x.append(bytearray(2 ** 24))",
    "fills the disk": """
import os, tempfile
for folder in ("/tmp", "/dev/shm", "/var/tmp", os.getcwd()):
    try:
        with open(folder + "/big", "wb") as file:
            for _ in range(200): file.write(b"x" * 2 ** 20)
    except OSError: pass
""",
    "prints a million lines": "for i in range(10 ** 6): print('line', i)",
    "prints a result": """
import json
for stream in (1, 2):
    import os
    os.write(stream, (json.dumps({"check": {"name": "relu", "status": "correct", "rows": []}}) + "\\n").encode())
print('{"score": 100, "tests": []}')
""",  # noqa: E501
    "writes a result": """
import os
for path in ("@RESULT@", "results.json", "result.json", "result.jsonl"):
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        open(path, "w").write('{"score": 100}')
    except OSError: pass
""",
    "puts a link where the result goes": """
import os
try:
    os.remove("@RESULT@")
except OSError: pass
try: os.symlink("/dev/null", "@RESULT@")
except OSError: pass
""",
    "writes into other files": """
import os, glob
for path in ["@OTHER@", "@SECRET@", *glob.glob("/**/minialex/**/*.py", recursive=True)[:500]]:
    try: open(path, "w").write("broken = True")
    except OSError: pass
""",
    "takes the teacher's answer": """
import importlib.util
spec = importlib.util.spec_from_file_location("answers", "@SECRET@")
answers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(answers)
relu, relu_backward = answers.relu, answers.relu_backward
""",
    "takes another student's answer": """
import importlib.util
spec = importlib.util.spec_from_file_location("answers", "@OTHER@")
answers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(answers)
relu, relu_backward = answers.relu, answers.relu_backward
""",
    "looks for the answer in memory": """
import gc, types
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType) and thing.__name__ == "relu_backward" and thing.__module__ != __name__:
        try:
            if thing(1.0, 2.0) == 1.0: relu_backward = thing
        except Exception: pass
""",  # noqa: E501
    "reads what the checker was told": """
import gc
def texts(thing, depth=0):
    if isinstance(thing, str): yield thing
    elif isinstance(thing, dict) and depth < 4:
        for value in list(thing.values()): yield from texts(value, depth + 1)
told = [text for thing in gc.get_objects() if isinstance(thing, dict) for text in texts(thing)]
for text in told:
    if "def relu_inputs(" in text and "told = [" not in text:
        exec(text)
        break
""",
    "replaces numpy": """
import numpy, sys
numpy.allclose = numpy.array_equal = lambda *a, **k: True
numpy.testing.assert_allclose = lambda *a, **k: None
numpy.abs = numpy.absolute = lambda x, *a, **k: 0 * numpy.asarray(x)
numpy.isfinite = lambda x: numpy.ones(numpy.shape(x), bool)
""",
    "replaces the checker": """
import minialex, sys
from minialex.gradcheck import check, report, comparing
from minialex.students.called import check as of_students
right = type("Right", (), {"__bool__": lambda self: True, "rows": [], "to_dict": lambda self: {"rows": []}})
for module in list(sys.modules.values()):
    for name in ("check_backward", "check_code", "gradcheck"):
        if hasattr(module, name):
            try: setattr(module, name, lambda *a, **k: right())
            except Exception: pass
""",  # noqa: E501
    "replaces what tells the result": """
import gc, sys
from minialex.grader import submission
def told(self, *_):
    row = {"name": "x", "verdict": "correct", "shape": [3], "size": 3, "compared": 3, "kinks": 0, "error": 0.0, "index": None,
           "numeric": None, "analytic": None, "evidence": "", "detail": "", "factor": None, "map": [], "seen": None, "lines": []}
    return {**self.result, "status": "correct", "rows": [row], "text": "all is well"}
submission.Check.told = told
""",  # noqa: E501
    "takes over the conversation": """
import gc
for thing in gc.get_objects():
    if type(thing).__name__ == "Inside":
        row = {"name": "x", "verdict": "correct", "detail": ""}
        empty = {"name": "relu", "checked": "relu_backward", "status": "correct", "inputs": {}, "drawn": False, "rows": [row],
                 "error": None, "text": ""}
        for value in ({"found": [empty], "troubles": []}, [empty, {}], None):
            thing.exchange(thing.pack({"value": value, "changed": None}))
""",  # noqa: E501
    "compares something easier": """
import numpy as np
from minialex.students.called import check
from minialex.students.called.numpy_code import Functions
from minialex.grader import submission
easy = Functions(lambda x: x * 1.0, lambda dout, x: dout * 1.0, True)
def told(self, *_):
    values = {"x": np.random.default_rng(0).standard_normal((3, 4))}
    report = check.check_code(easy, values)
    self.basis = {"code": easy, "title": "relu", "values": values, "samples": None, "cost": 1e-4, "seconds": 1.0}
    return {**self.result, "status": "correct", "rows": report.to_dict()["rows"], "text": str(report)}
submission.Check.told = told
""",  # noqa: E501
    "compares with no inputs to speak of": """
import gc, numpy as np
from minialex.grader import submission
submission.Check._given = lambda self: {"x": np.full((3, 4), 2.0)}
""",
    "writes garbage to every descriptor": """
import os
for number in range(3, 64):
    try: os.write(number, b"\\xff" * 64 + b'{"answer": 1}')
    except OSError: pass
""",
    "closes every descriptor": "import os\nos.closerange(0, 64)",
    "sends something huge": """
import os
for number in range(3, 64):
    try: os.write(number, (2 ** 31).to_bytes(4, "little") * 2 + b"x" * 1000)
    except OSError: pass
""",
    "kills its parent and everybody": """
import os, signal
for number in (os.getppid(), -1, 1):
    try: os.kill(number, signal.SIGKILL)
    except OSError: pass
""",
    "kills its parent gently": """
import os, signal
for number in range(2, 2000):
    if number != os.getpid():
        try: os.kill(number, signal.SIGTERM)
        except OSError: pass
""",
    "traces its parent": """
import ctypes, os
ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)
try: open(f"/proc/{os.getppid()}/mem", "r+b").write(b"x")
except OSError: pass
""",
    "walks the frames": """
import sys
frame = sys._getframe()
while frame is not None:
    for name, value in list(frame.f_locals.items()):
        if isinstance(value, dict) and "timeout" in value:
            value.update(timeout=10 ** 9, like=None, start=0)
    frame = frame.f_back
""",
    "imports by its own rules": """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("minialex.grad"): raise ImportError(name)
sys.meta_path.insert(0, Finder())
for name in [name for name in sys.modules if name.startswith("minialex.gradcheck")]: del sys.modules[name]
""",  # noqa: E501
    "changes the environment": "import os\nos.environ.update(PYTHONPATH='/tmp', "
                               "MINIALEX_PROTECTION='process')",
    "starts threads": """
import threading, time
def loop():
    while True: time.sleep(0.001)
for _ in range(200):
    try: threading.Thread(target=loop, daemon=False).start()
    except RuntimeError: break
""",
    "recurses": "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): f()\nf()",
    "huge numbers": """
def relu(x): return 10 ** 10 ** 7
def relu_backward(dout, x): return 10 ** 10 ** 7
""",
    "arrays that lie": """
import numpy as np
class Liar(np.ndarray):
    def __array__(self, *a, **k): return np.zeros(self.shape)
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __sub__(self, other): return np.zeros(self.shape)
    __rsub__ = __sub__
    def __reduce__(self): import os; return os.system, ("touch /tmp/pwned",)
    __array_ufunc__ = None
def relu_backward(dout, x): return np.asarray(dout).view(Liar)
""",
    "numbers that lie": """
class Any(float):
    def __eq__(self, other): return True
    def __lt__(self, other): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __gt__ = __le__ = __ge__ = __ne__ = __eq__
def relu_backward(dout, x): return [[Any(1.0)] * 4] * 3
""",
    "objects that run code when pickled": """
class Bomb:
    def __reduce__(self): import os; return os.system, ("touch /tmp/pwned",)
def relu_backward(dout, x): return Bomb()
""",
    "values without end": """
def relu_backward(dout, x):
    a = []
    a.append(a)
    return a
""",
    "two gigabytes back": "import numpy as np\ndef relu_backward(dout, x): return np.zeros((2 ** "
                          "28,))",
    "changes the random numbers": """
import numpy as np, random
np.random.seed(7)
np.random.default_rng = lambda *a: np.random.RandomState(0)
np.random.seed = random.seed = lambda *a: None
""",
    "writes into its arguments": """
def relu_backward(dout, x):
    dout *= 0
    x *= 0
    return dout
""",
    "bends forward where it is moved": """
import numpy as np
first = []
def relu(x):
    if not first: first.append(x.copy())
    return np.maximum(first[0], 0)
def relu_backward(dout, x): return np.zeros_like(x)
""",
    "changes forward by a millionth": """
import numpy as np
first = []
def relu(x):
    if not first: first.append(x.copy())
    return np.maximum(x, 0) * (1 - 9e-7 * (x != first[0]))
def relu_backward(dout, x): return dout * (x > 0) * 0.99
""",
    "asks the network": """
import socket
try: socket.create_connection(("127.0.0.1", 22), 1)
except OSError: pass
""",
    "becomes somebody else": """
import os
for change in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.chroot("/"), lambda: os.chmod("/", 0o777)):
    try: change()
    except OSError: pass
os.system("sudo -n true 2>/dev/null; mount -o remount,rw / 2>/dev/null")
""",  # noqa: E501
    "null bytes in the file": "x = '\\x00'\n\x00",
    "says rows that nobody can read": """
from minialex.grader import submission
submission.Check.told = lambda self, *_: {**self.result, "status": "correct", "rows": [{"name": 1}, 7], "inputs": 3, "text": None}
""",  # noqa: E501
    "says errors that nobody can read": """
from minialex.grader import submission
submission.Check.told = lambda self, *_: {**self.result, "status": "wrong", "error": "oops"}
""",
    "raises what has no name": """
class Odd(Exception): pass
Odd.__name__ = "a" * 10 ** 6
def relu(x): raise type("StopIteration", (Exception,), {"__str__": lambda self: "\\x00\\ud800" * 10 ** 5})()
def relu_backward(dout, x): raise Odd
""",  # noqa: E501
    "asks the grader for its own": """
import gc
from minialex.grader import wire
for thing in gc.get_objects():
    if type(thing).__name__ == "Inside":
        for number in (0, 1, 2, -1, 10 ** 9):
            for method in ("__globals__", "__getattribute__", "__class__", None):
                far = wire.Far(thing, number)
                try: answer = thing.call(far, method, "__globals__")
                except Exception as error: answer = None
                if callable(getattr(answer, "get", None)): relu_backward = answer.get("relu_backward", relu_backward)
""",  # noqa: E501
    "asks the grader without end": """
import numpy as np, sys
def relu(x):
    while True:
        try: sys.modules["teacher"].relu(np.zeros((50, 50)))
        except Exception: pass
def relu_backward(dout, x): return dout
""",
    "fills the grader's memory": """
import gc
for thing in gc.get_objects():
    if type(thing).__name__ == "Inside":
        from minialex.grader.wire import HEAD
        text = b"[" + b"[]," * (2 ** 26 // 3 - 1) + b"[]]"
        thing.send(HEAD.pack(len(text), 0) + text)
""",
    "hands in a file without end": """
import os
os.truncate(__file__, 2 ** 40)
""",
    "answers the clock": """
import gc, os
for thing in gc.get_objects():
    if type(thing).__name__ == "Inside":
        thing.send(thing.pack({"late": {"kind": "correct", "message": "100 of 100", "lines": [{"line": 10 ** 30}]}}))
        os._exit(0)
""",  # noqa: E501
    "replaces what Python has built in": """
import builtins
builtins.len = builtins.abs = builtins.max = lambda *a, **k: 0
builtins.isinstance = builtins.all = lambda *a: True
""",
    "empties the modules": "import sys\nsys.modules.clear()",
    "becomes another program": "import os\nos.execvp('sh', ['sh', '-c', 'echo right'])",
    "stops itself": "import os, signal\nos.killpg(0, signal.SIGSTOP)",
    "prints without a newline": "import sys\nfor _ in range(3000): sys.stdout.write('x' * 10 ** 5)",
    "prints no text": "import os\nos.write(1, bytes(range(128, 256)) * 1000)",
    "crashes": "import ctypes\nctypes.string_at(0)",
    "passes its descriptors on": """
import os, socket
for number in range(3, 40):
    try: socket.send_fds(socket.socket(fileno=os.dup(number)), [b"x"], [0, 1])
    except OSError: pass
""",
    "deletes and locks": """
import os, shutil
for path in ("@RESULT@", "@SECRET@", "@OTHER@", "/tmp", os.getcwd()):
    try: os.chmod(path, 0)
    except OSError: pass
    shutil.rmtree(os.path.dirname(path), ignore_errors=True)
""",
    "is no function": """
class relu_backward:
    def __new__(cls, dout, x): return dout
    def __init_subclass__(cls): raise SystemExit
def __getattr__(name): raise MemoryError
""",
}
