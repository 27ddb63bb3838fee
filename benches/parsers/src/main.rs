//! Hands each parser what hostile clients may send, one after the other, for callgrind to count. Prints a
//! line for each: parser, shape, bytes, and the most instructions per byte that it may cost.

mod inputs;
mod work;

use std::hint::black_box;

/// One input for one parser.
struct Case {
    parser: &'static str,
    shape: &'static str,
    bytes: usize,
    /// Whether the limit of instructions per byte holds for it. It says little of a few bytes.
    limited: bool,
    run: Box<dyn Fn() -> bool>,
}

/// What callgrind counts, call by call.
#[inline(never)]
#[unsafe(no_mangle)]
extern "Rust" fn bluegreen_measured(case: &Case) -> bool {
    black_box((case.run)())
}

fn main() {
    for case in work::cases() {
        // Once before, so that lazily bound symbols are not counted.
        (case.run)();
        bluegreen_measured(&case);
        println!(
            "{}\t{}\t{}\t{}",
            case.parser, case.shape, case.bytes, case.limited
        );
    }
}
