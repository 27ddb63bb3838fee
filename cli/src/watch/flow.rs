//! Pieces of text that go on in the next line where they don't fit in one.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Lines up pieces, two blanks apart; all lines but the first are indented.
pub fn flow(pieces: Vec<Span<'static>>, width: usize, indent: usize) -> Vec<Line<'static>> {
    lines(pieces, 2, width, indent)
}

/// Breaks a text between words.
pub fn wrap(text: &str, style: Style, width: usize, indent: usize) -> Vec<Line<'static>> {
    let words = text
        .split(' ')
        .map(|word| Span::styled(word.to_owned(), style));
    lines(words.collect(), 1, width, indent)
}

fn lines(
    pieces: Vec<Span<'static>>,
    gap: usize,
    width: usize,
    indent: usize,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut line: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for piece in pieces {
        let gap = if used == 0 { 0 } else { gap };
        if used > 0 && used + gap + piece.width() > width {
            lines.push(Line::from(std::mem::take(&mut line)));
            line.push(Span::raw(" ".repeat(indent)));
            used = indent;
        } else {
            line.push(Span::raw(" ".repeat(gap)));
            used += gap;
        }
        used += piece.width();
        line.push(piece);
    }
    if !line.is_empty() {
        lines.push(Line::from(line));
    }
    lines
}
