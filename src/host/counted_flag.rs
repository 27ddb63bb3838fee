//! Whether this VM has counted something that the others do not know.

use std::cell::Cell;

thread_local! {
    static IS_SET: Cell<bool> = const { Cell::new(false) };
}

pub fn set() {
    IS_SET.set(true);
}

pub fn is_set() -> bool {
    IS_SET.get()
}

pub fn clear() {
    IS_SET.set(false);
}
