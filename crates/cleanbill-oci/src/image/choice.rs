//! Which platforms of an image are wanted. Must not read anything.

use cleanbill_core::platform::Platform;

/// Which platforms of an image are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformChoice {
    /// This one and no other.
    One(Platform),
    /// This one of an index; an image that comes alone is taken whatever it was built for.
    Prefer(Platform),
    /// All that a node could select.
    All,
    /// All that nodes of these platforms could select. An image without an index is taken
    /// whatever it says, as runtimes do.
    Listed(Vec<Platform>),
}

/// A platform that no node has.
pub(super) fn unselectable(platform: &Platform) -> bool {
    platform.os == "unknown" && platform.architecture == "unknown"
}

/// Whether there is nothing to choose from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Alone {
    No,
    InIndex,
    WithoutIndex,
}

/// Whether an image for `platform` is wanted; one that says nothing could be for anything.
pub(super) fn wanted(choice: &PlatformChoice, platform: Option<&Platform>, alone: Alone) -> bool {
    match (choice, platform) {
        (PlatformChoice::All, _) | (_, None) => true,
        (PlatformChoice::One(wish), Some(p)) => wish.accepts(p),
        (PlatformChoice::Prefer(wish), Some(p)) => alone != Alone::No || wish.accepts(p),
        (PlatformChoice::Listed(wishes), Some(p)) => {
            alone == Alone::WithoutIndex || wishes.iter().any(|w| w.accepts(p))
        }
    }
}
