# The filters that jaq lacks or defines differently than jq.

def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);
def test(re; flags): evtap_test(re; flags);
def test(re): evtap_test(re; "");
def ascii: [.] | implode;
def leaf_paths: paths(scalars);
def ltrimstr($s): if isstring and ($s | isstring) and startswith($s) then .[$s | length:] else . end;
def rtrimstr($s): if isstring and ($s | isstring) and endswith($s) and $s != "" then .[:-($s | length)] else . end;
def delpaths($paths): reduce ($paths | sort | reverse | .[]) as $path (.; getpath($path) |= empty);
def del(f): delpaths([path(f)]);
def setpath($path; $x):
  if $path == [] then $x
  else if . == null then (if $path[0] | isstring then {} else [] end) else . end | .[$path[0]] |= setpath($path[1:]; $x) end;
def @csv: map(if isstring then "\"" + gsub("\""; "\"\"") + "\"" elif . == null then "" elif isarray or isobject then error("an array can't be a cell") else tostring end) | join(",");
def @tsv: map(if isstring then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r") elif . == null then "" else tostring end) | join("\t");
