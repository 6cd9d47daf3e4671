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

/// Aligns steps so that as many as possible are in both calls.
#[must_use]
pub fn align<'a>(a: &'a [CallStep], b: &'a [CallStep]) -> Vec<AlignedStep<'a>> {
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
    }
}
