"""A race goes on with what it believed of curves when it began."""

from forkpoint.ledger import Agreement
from forkpoint.race.live_prior import RULED_PRIOR, agreed_prior, live_prior


def test_a_race_goes_on_with_the_prior_of_its_agreement() -> None:
    """What an agreement holds comes back as it was, whatever ships by then; an agreement that is
    older than the field means the ruled prior, with which such races began."""
    other = RULED_PRIOR.model_copy(update={"origin": "another version", "scales": ()})
    assert agreed_prior(live_prior().to_json()) == live_prior()
    assert agreed_prior(other.to_json()) == other
    assert agreed_prior(None) == RULED_PRIOR
    assert Agreement.model_fields["curve_prior_json"].default is None
