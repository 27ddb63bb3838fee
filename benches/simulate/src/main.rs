mod detection;
mod false_alarms;
mod guards;
mod parallel;
mod random;
mod traffic;
mod users;
fn main() {
    if std::env::args().any(|it| it == "d") { detection::run(200); } else { false_alarms::run(std::env::args().nth(1).unwrap().parse().unwrap()); }
}
