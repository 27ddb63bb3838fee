//! `bluegreen drift`.

use crate::drift::cluster::Cluster;
use crate::drift::compare::{Difference, Side, compare};
use crate::drift::services::{self, Said};
use crate::drift::settings::{Group, Settings};
use crate::envoy::admin::{Admin, DEFAULT_ADMIN};
use crate::envoy::dump::Dump;
use crate::envoy::setup::cluster_names;
use crate::failure::{Exit, Failure, Report};
use crate::nearest::nearest;
use crate::table::{Align, count, table};
use serde_json::json;

/// Tells how two environments differ: what Envoy knows of two clusters, and what their services say of themselves.
///
/// Names and addresses of the clusters are not compared.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 they do not differ; 1 they differ; 2 no such cluster; 3 the Envoy or a service does not \
                        answer"
)]
pub struct Args {
    /// The cluster of blue
    #[arg(value_name = "BLUE")]
    pub blue: String,
    /// The cluster of green
    #[arg(value_name = "GREEN")]
    pub green: String,
    /// The admin address of the Envoy
    #[arg(long, value_name = "URL", default_value = DEFAULT_ADMIN)]
    pub admin: String,
    /// Where the services report their environment as JSON: each healthy endpoint is asked, by HTTP/1.1
    #[arg(long, value_name = "PATH", value_parser = parse_path)]
    pub env_path: Option<String>,
    /// What may differ: a setting as reported, all below it, or a group such as `endpoints`; `*` is any text
    #[arg(long, value_name = "PATTERN")]
    pub ignore: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// Where the Envoy or a service does not answer, or there is no such cluster.
pub fn run(args: &Args) -> Result<Report, Failure> {
    if args.blue == args.green {
        return Err(Failure::usage("BLUE and GREEN are the same cluster"));
    }
    let admin = Admin::new(&args.admin)?;
    admin.check()?;
    let dump = Dump::new(admin.json("/config_dump")?);
    let page = admin.json("/clusters?format=json")?;
    let cluster = |name: &str| {
        Cluster::of(name, &dump, &page).ok_or_else(|| {
            let names = cluster_names(&page);
            let like = nearest(name, names.iter().map(String::as_str));
            Failure::usage(format!(
                "{}: {name:?} is no cluster of this Envoy{like}",
                admin.url
            ))
        })
    };
    let clusters = [cluster(&args.blue)?, cluster(&args.green)?];
    let said = match &args.env_path {
        None => [Said::default(), Said::default()],
        Some(path) => {
            let [blue, green] = &clusters;
            [services::ask(blue, path)?, services::ask(green, path)?]
        }
    };
    Ok(report(args, &clusters, said))
}

fn parse_path(path: &str) -> Result<String, String> {
    let is_path = path.starts_with('/') && path.parse::<http::Uri>().is_ok();
    is_path
        .then(|| path.to_owned())
        .ok_or_else(|| "must be a path such as /env".to_owned())
}

fn report(args: &Args, clusters: &[Cluster; 2], [mut blue, mut green]: [Said; 2]) -> Report {
    // What is of one instance on one side says nothing on the other.
    for place in &blue.of_instances {
        green.settings.remove(place);
    }
    for place in &green.of_instances {
        blue.settings.remove(place);
    }
    let of_instances = blue.of_instances.iter().chain(&green.of_instances);
    let mut of_instances: Vec<&str> = of_instances.map(|it| it.path.as_str()).collect();
    of_instances.sort_unstable();
    of_instances.dedup();
    let [of_blue, of_green] = clusters;
    let all = |cluster: &Cluster, said: Settings| {
        let mut settings = cluster.settings.clone();
        settings.extend(said);
        settings
    };
    let settings = [all(of_blue, blue.settings), all(of_green, green.settings)];
    let [blue_settings, green_settings] = &settings;
    let blue = Side {
        settings: blue_settings,
        aliases: &of_blue.aliases,
    };
    let green = Side {
        settings: green_settings,
        aliases: &of_green.aliases,
    };
    let (differences, compared) = compare(blue, green, &args.ignore);
    let mut text = text(args, &differences, compared);
    if !of_instances.is_empty() {
        let paths = of_instances.join(", ");
        text += &format!("not compared, because services of one cluster differ there: {paths}\n");
    }
    Report {
        text,
        json: json!({
            "blue": args.blue,
            "green": args.green,
            "compared": compared,
            "differences": differences.iter().map(Difference::json).collect::<Vec<_>>(),
            "not_compared": of_instances,
        }),
        exit: if differences.is_empty() {
            Exit::Fine
        } else {
            Exit::Finding
        },
    }
}

fn text(args: &Args, differences: &[Difference], compared: usize) -> String {
    let compared = count(compared, "setting");
    let Args { blue, green, .. } = args;
    if differences.is_empty() {
        return format!("{blue} and {green} do not differ: {compared} compared\n");
    }
    let titles = ["", "setting", blue.as_str(), green.as_str()].map(str::to_owned);
    let mut rows = vec![titles.to_vec()];
    let mut last: Option<Group> = None;
    for difference in differences {
        let group = difference.place.group;
        let name = if last == Some(group) {
            ""
        } else {
            group.as_str()
        };
        let [blue, green] = difference.cells();
        rows.push(vec![
            name.to_owned(),
            difference.place.path.clone(),
            blue,
            green,
        ]);
        last = Some(group);
    }
    let differ = count(differences.len(), "difference");
    format!(
        "{}{differ}, {compared} compared\n",
        table(&rows, |_| Align::Left)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_with_a_slash() {
        assert!(parse_path("/env?x=1").is_ok());
        for path in ["env", "", "http://host/env", "/a b"] {
            assert!(parse_path(path).is_err(), "{path}");
        }
    }
}
