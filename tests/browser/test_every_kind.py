"""Everything that a customer can ask for, clicked in a real browser, against each generation of the API of vCloud."""

import pytest

from app.cloud.steps import KINDS
from tests.browser import lives
from tests.browser.conftest import OpenTab, sign_in
from tests.browser.generations import VERSIONS, generation
from tests.browser.owner import Owner
from tests.support.live import LivePanel

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_that_can_be_asked_is_done_by_clicking(panel: LivePanel, open_tab: OpenTab, version: str) -> None:
    with generation(panel, version) as here:
        tab = open_tab(viewport={"width": 1280, "height": 900})
        owner = Owner(tab, panel.url, here.simulator)
        sign_in(tab, panel, here.email, "demo" * 8)
        owner.tell(*lives.SIDE_BY_SIDE)
        owner.tell(*lives.ONE_BY_ONE)
        done = {kind for kind, state in here.operations if state == "succeeded"}
        assert done == set(KINDS), "each kind that can be asked for has its part in a story"
        states = {state for _, state in here.operations}
        assert states == {"succeeded", "cancelled", "failed"}
