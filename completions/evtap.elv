# Completion of evtap for elvish. evtap itself says what may come next.
# Goes to ~/.config/elvish/rc.elv, or is loaded by it.

use str

set edit:completion:arg-completer[evtap] = {|@words|
  var program = (external $words[0])
  var next = [($program __complete --current=$words[-1] -- (all $words[1..-1]) 2>/dev/null)]
  if (eq $next [:path]) {
    edit:complete-filename $@words
  } else {
    for line $next {
      var word meaning = (str:split "\t" $line)
      edit:complex-candidate $word &display=$word'  '$meaning
    }
  }
}
