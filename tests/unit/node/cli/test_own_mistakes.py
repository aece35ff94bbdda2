"""Whatever goes wrong in the program: it does not end as if a credential had been judged."""

import pytest

from testamur.node.cli import main


@pytest.mark.parametrize(
    "error", [ValueError("a slip"), ExceptionGroup("tasks", [KeyError("x"), OSError("y")])]
)
def test_a_mistake_of_the_program_is_no_verdict(monkeypatch, capsys, error):
    def run(_arguments):
        raise error

    monkeypatch.setattr(main, "_run", run)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "no verdict" in shown


@pytest.mark.parametrize("address", ["http://x:99999", "http://[::1", "https://"])
@pytest.mark.parametrize("option", ["--node", "--rpc"])
def test_a_mistyped_address_is_named_and_is_no_verdict(monkeypatch, capsys, tmp_path, option, address):
    path = tmp_path / "a.json"
    path.write_text("{}")
    monkeypatch.setattr(
        "sys.argv", ["testamur", "verify", str(path), "--home", str(tmp_path), option, address]
    )
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
