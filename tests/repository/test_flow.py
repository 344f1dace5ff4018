"""The eight steps, from build artifacts to a published tree."""

from enigm_testkit.vendor import Vendor
from enigm_tuf_repository.records import Step


def test_two_releases_go_through_all_eight_steps(vendor: Vendor) -> None:
    vendor.publish(vendor.prepare_release("1.0"))
    vendor.publish(vendor.prepare_release("2.0"))

    for record in ("phone-1.0", "phone-2.0"):
        assert [item.step for item in vendor.record(record).steps] == list(Step)
