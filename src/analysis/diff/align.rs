//! Aligns the steps of two calls.

use super::profile::CallStep;

/// A step of two aligned calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlignedStep<'a> {
    /// Both calls have it.
    Both(&'a CallStep),
    /// Only the first call has it.
    First(&'a CallStep),
    /// Only the second call has it.
    Second(&'a CallStep),
}

/// The memory of the table by which steps are aligned, in bytes: 2048 steps of each call between the
/// steps that both begin and end with.
const MAX_TABLE_BYTES: usize = 8 << 20;

/// Aligns steps so that as many as possible are in both calls. If that takes too much memory, the steps
/// between the common beginning and the common end are not compared: all of them count as different.
#[must_use]
pub fn align<'a>(a: &'a [CallStep], b: &'a [CallStep]) -> Vec<AlignedStep<'a>> {
    let start = a.iter().zip(b).take_while(|(first, second)| first == second).count();
    let (beginning, a) = a.split_at(start);
    let b = &b[start..];
    let backwards = a.iter().rev().zip(b.iter().rev());
    let end = backwards.take_while(|(first, second)| first == second).count();
    let (a, ending) = a.split_at(a.len() - end);
    let b = &b[..b.len() - end];
    let between = if (a.len() + 1) * (b.len() + 1) * size_of::<u16>() > MAX_TABLE_BYTES {
        a.iter().map(AlignedStep::First).chain(b.iter().map(AlignedStep::Second)).collect()
    } else {
        align_between(a, b)
    };
    let both = |steps: &'a [CallStep]| steps.iter().map(AlignedStep::Both);
    both(beginning).chain(between).chain(both(ending)).collect()
}

fn align_between<'a>(a: &'a [CallStep], b: &'a [CallStep]) -> Vec<AlignedStep<'a>> {
    // The length of the longest common subsequence of the rests of both.
    let width = b.len() + 1;
    let mut common = vec![0_u16; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i * width + j] = if a[i] == b[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut aligned = Vec::with_capacity(a.len().max(b.len()));
    loop {
        aligned.push(match (a.get(i), b.get(j)) {
            (Some(first), Some(second)) if first == second => {
                (i, j) = (i + 1, j + 1);
                AlignedStep::Both(first)
            }
            (Some(first), second)
                if second.is_none() || common[(i + 1) * width + j] >= common[i * width + j + 1] =>
            {
                i += 1;
                AlignedStep::First(first)
            }
            (_, Some(second)) => {
                j += 1;
                AlignedStep::Second(second)
            }
            _ => return aligned,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(names: &str) -> Vec<CallStep> {
        names.chars().map(|name| CallStep::State(name.to_string().into())).collect()
    }

    fn aligned(a: &str, b: &str) -> String {
        let (a, b) = (steps(a), steps(b));
        let name = |step: &CallStep| match step {
            CallStep::State(name) | CallStep::Tool(name, _) => name.to_string(),
        };
        let marked = align(&a, &b).into_iter().map(|step| match step {
            AlignedStep::Both(step) => name(step),
            AlignedStep::First(step) => format!("-{}", name(step)),
            AlignedStep::Second(step) => format!("+{}", name(step)),
        });
        marked.collect()
    }

    #[test]
    fn common_steps_stay_together() {
        assert_eq!(aligned("abc", "abc"), "abc");
        assert_eq!(aligned("abcd", "acxd"), "a-bc+xd");
        assert_eq!(aligned("", "ab"), "+a+b");
        assert_eq!(aligned("ab", ""), "-a-b");
        assert_eq!(aligned("ab", "ba"), "-ab+a");
        assert_eq!(aligned("", ""), "");
        assert_eq!(aligned("aab", "ab"), "a-ab");
    }

    #[test]
    fn too_many_different_steps_are_not_compared() {
        let (a, b) = ("ab".repeat(2000), "ba".repeat(2000));
        let aligned = aligned(&format!("x{a}y"), &format!("x{b}y"));
        assert_eq!(aligned.matches('-').count(), 4000);
        assert!(aligned.starts_with("x-a") && aligned.ends_with("+ay"), "{aligned}");
    }
}
