"""`python -m pytest --device cuda` runs every test that takes the fixture `device` on a GPU, compared with the CPU."""
import pytest


def pytest_addoption(parser):
    parser.addoption("--device", default="cpu", metavar="cpu|cuda[:n]",
                     help="where the tests with a `device` fixture compute (default: cpu)")


@pytest.fixture(scope="session")
def device(request):
    """The name of the device under test, "cpu" or "cuda:n". Ends the run when that device cannot compute."""
    from minialex.backend import resolve_device
    from minialex.errors import UserError
    try:
        chosen = resolve_device(request.config.getoption("--device"))
    except UserError as error:
        pytest.exit(str(error), returncode=2)
    return chosen.name
