# Completion of evtap for Nushell 0.108 or later. evtap itself says what may come next.
# Goes to a directory of $nu.user-autoload-dirs.

def "nu-complete evtap" [words: list<string>] {
  let word = $words | last
  let next = ^($words | first) __complete $"--current=($word)" -- ...($words | skip 1 | drop) err> /dev/null | lines
  if $next == [":path"] {
    # The name of an option may stand before the path.
    let option = $word | parse --regex '^(?<name>--[^=]*=)' | get name.0? | default ""
    let found = try { ls ($"($word | str replace $option '')*" | into glob) } catch { [] }
    $found | each {|file| $"($option)($file.name)(if $file.type == dir { '/' })" }
  } else {
    $next | each {|line|
      let parts = $line | split row "\t"
      {value: $parts.0, description: $parts.1}
    }
  }
}

@complete "nu-complete evtap"
export extern evtap []
