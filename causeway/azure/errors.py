"""What goes wrong on the way to Azure."""

from causeway.errors import Cause, CausewayError


class RetailPricesUnavailable(CausewayError):
    """Azure's retail prices could not be had, or are not what they should be. Prices that are known stay."""

    cause = Cause.OPERATOR
    word = "RetailPrices"
