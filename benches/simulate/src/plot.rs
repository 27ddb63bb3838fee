//! Plots for the docs.

use plotters::prelude::*;
use std::error::Error;
use std::path::{Path, PathBuf};

const SIZE: (u32, u32) = (760, 380);
const COLORS: [RGBColor; 4] = [
    RGBColor(200, 60, 50),
    RGBColor(220, 150, 30),
    RGBColor(40, 110, 190),
    RGBColor(50, 150, 90),
];

/// A line and its name.
pub struct Line {
    pub name: &'static str,
    pub points: Vec<(f64, f64)>,
}

/// Percent and seconds, both on a logarithmic scale.
pub fn detection(lines: &[Line]) {
    let path = path("detection.svg");
    draw(&path, || {
        let root = SVGBackend::new(&path, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(56)
            .build_cartesian_2d((1.8_f64..110.0).log_scale(), (1.0_f64..3_000.0).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("errors of the canary, %; stable 1 %")
            .y_desc("median time to rollback, s")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .max_light_lines(0)
            .draw()?;
        for (line, color) in lines.iter().zip(COLORS) {
            chart
                .draw_series(LineSeries::new(
                    line.points.iter().copied(),
                    color.stroke_width(2),
                ))?
                .label(line.name)
                .legend(move |(x, y)| {
                    PathElement::new(vec![(x, y), (x + 16, y)], color.stroke_width(2))
                });
        }
        chart
            .configure_series_labels()
            .background_style(WHITE)
            .border_style(BLACK.mix(0.3))
            .draw()?;
        root.present()?;
        Ok(())
    });
}

/// Minutes and percent.
pub fn evidence(lines: &[Line]) {
    let path = path("evidence.svg");
    let end = lines.iter().flat_map(|line| &line.points);
    let end = end.map(|point| point.0).fold(0.0, f64::max);
    draw(&path, || {
        let root = SVGBackend::new(&path, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..end, 0.0..100.0)?;
        chart
            .configure_mesh()
            .x_desc("minutes")
            .y_desc("evidence, %")
            .max_light_lines(0)
            .draw()?;
        for (line, color) in lines.iter().zip(COLORS) {
            chart
                .draw_series(LineSeries::new(
                    line.points.iter().copied(),
                    color.stroke_width(2),
                ))?
                .label(line.name)
                .legend(move |(x, y)| {
                    PathElement::new(vec![(x, y), (x + 16, y)], color.stroke_width(2))
                });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE)
            .border_style(BLACK.mix(0.3))
            .draw()?;
        root.present()?;
        Ok(())
    });
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/images")
        .join(name)
}

fn draw(path: &Path, draw: impl FnOnce() -> Result<(), Box<dyn Error>>) {
    match draw() {
        Ok(()) => println!("\nwrote {}", path.file_name().unwrap_or_default().display()),
        Err(error) => eprintln!("simulate: {}: {error}", path.display()),
    }
}
