# The filters that jaq lacks or defines differently than jq.

def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);
def ascii: [.] | implode;
def paths: path(..) | select(. != []);
def paths(f): path(.. | select(f)) | select(. != []);
def leaf_paths: paths(scalars);
def del(f): delpaths([path(f)]);
def pick(f): . as $whole | reduce path(f) as $path (null; setpath($path; $whole | getpath($path)));
def walk(f):
  def inner: if type == "array" then map(inner) elif type == "object" then map_values(inner) else . end | f;
  inner;
def in(xs): . as $key | xs | has($key);
def inside(xs): . as $part | xs | contains($part);
def index($part): indices($part) | .[0];
def rindex($part): indices($part) | .[-1:][0];
def transpose: (map(length) | max // 0) as $width | [range($width) as $at | [.[][$at]]];
def combinations: if . == [] then . else (.[0] | .[]) as $first | .[1:] | combinations | [$first] + . end;
def combinations(n): . as $items | [range(n) | $items] | combinations;
