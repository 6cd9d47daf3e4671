# The filters of jq that are written in jq. Native filters have the names of jq if they behave like
# those, and otherwise names that start with `evtap_`.

def true: 0 == 0;
def false: 0 == 1;
def null: [][0];
def empty: {}[] as $never | .;
def not: if . then false else true end;
def select(f): if f then . else empty end;
def error: evtap_error as $never | .;
def error(message): (message | evtap_error) as $never | .;

# Types
def booleans: select(type == "boolean");
def nulls: select(. == null);
def values: select(. != null);
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type == ("array", "object"));
def scalars: select(type | . != "array" and . != "object");
def isfinite: type == "number" and (isinfinite | not);
def finites: select(isfinite);
def normals: select(isnormal);

# Sequences
def range($from; $to):
  if ($from | type) == "number" and ($to | type) == "number" then evtap_range($from; $to; 1)
  else error("Range bounds must be numeric") end;
def range($to): range(0; $to);
def range($from; $to; $by): if $by == 0 then empty else evtap_range($from; $to; $by) end;
def while(condition; update):
  def next: if condition then ., (update | next) else empty end;
  next;
def until(condition; update): def next: if condition then . else update | next end; next;
def repeat(f): def next: f, next; next;
def recurse: ..;
def recurse(f): def inner: ., (f | inner); inner;
def recurse(f; condition): recurse(f | select(condition));
def first: .[0];
def first(f): evtap_first(f);
def last: .[-1];
def last(f): evtap_last(f);
def limit($count; f):
  if $count > 0 then evtap_limit($count; f)
  elif $count == 0 then empty
  else error("limit doesn't support negative count") end;
def skip($count; f):
  if $count > 0 then evtap_skip($count; f)
  elif $count == 0 then f
  else error("skip doesn't support negative count") end;
def nth($index): .[$index];
def nth($index; f):
  if $index < 0 then error("nth doesn't support negative indices") else first(skip($index; f)) end;
def isempty(f): first((f | false), true);
def any(f; condition): isempty(f | condition or empty) | not;
def any(condition): any(.[]; condition);
def any: any(.);
def all(f; condition): isempty(f | condition and empty);
def all(condition): all(.[]; condition);
def all: all(.);
def add(f): reduce f as $item (null; . + $item);
def IN(f): any(f == .; .);
def IN(f; g): any(f == g; .);

# Arrays and objects
def map(f): [.[] | f];
def map_values(f): .[] |= f;
def in(container): . as $key | container | has($key);
def inside(container): . as $part | container | contains($part);
def index($part): indices($part) | .[0];
def rindex($part): indices($part) | .[-1:][0];
def transpose: (map(length) | max // 0) as $width | [range($width) as $at | [.[][$at]]];
def combinations:
  if length == 0 then [] else .[0][] as $first | .[1:] | combinations | [$first] + . end;
def combinations(count): . as $items | [range(count) | $items] | combinations;
def to_entries: [keys_unsorted[] as $key | {$key, value: .[$key]}];
def from_entries:
  reduce .[] as $entry ({};
    . + ($entry | {
      (.key // .Key // .name // .Name): (if has("value") then .value else .Value end)
    }));
def with_entries(f): to_entries | map(f) | from_entries;
def walk(f):
  def inner:
    if type == "array" then map(inner) elif type == "object" then map_values(inner) else . end | f;
  inner;
def INDEX(rows; key): reduce rows as $row ({}; .[$row | key | tostring] |= $row);
def INDEX(key): INDEX(.[]; key);
def JOIN($index; key): [.[] | [., $index[key]]];
def JOIN($index; rows; key): rows | [., $index[key]];
def JOIN($index; rows; key; join): rows | [., $index[key]] | join;

# Paths
def paths: path(..) | select(. != []);
def paths(f): path(.. | select(f)) | select(. != []);
def leaf_paths: paths(scalars);
def setpath(path; value): value as $value | path as $path | evtap_setpath($path; $value);
def del(f): delpaths([path(f)]);
def pick(f):
  . as $whole | reduce path(f) as $path (null; setpath($path; $whole | getpath($path)));
def tostream:
  def inner($path):
    if (type == "array" or type == "object") and length > 0
    then keys_unsorted as $keys
      | ($keys[] as $key | .[$key] | inner($path + [$key])), [$path + [$keys[-1]]]
    else [$path, .] end;
  inner([]);
def fromstream(events):
  foreach events as $event ({};
    (if .is_complete then {} else . end)
    | ($event[0] | length) as $depth
    | if $event | length == 2
      then setpath(["value"] + $event[0]; $event[1]) | .is_complete = ($depth == 0)
      else .is_complete = ($depth == 1) end;
    if .is_complete then .value else empty end);
def truncate_stream(events):
  . as $depth | null | events | select(.[0] | length > $depth) | .[0] |= .[$depth:];

# Strings
def ascii: [.] | implode;
def trimstr($text): ltrimstr($text) | rtrimstr($text);

# Mathematics
def pow(x; y): y as $y | x as $x | evtap_pow($x; $y);
def atan2(x; y): y as $y | x as $x | evtap_atan2($x; $y);
def copysign(x; y): y as $y | x as $x | evtap_copysign($x; $y);
def fdim(x; y): y as $y | x as $x | evtap_fdim($x; $y);
def fmax(x; y): y as $y | x as $x | evtap_fmax($x; $y);
def fmin(x; y): y as $y | x as $x | evtap_fmin($x; $y);
def fmod(x; y): y as $y | x as $x | evtap_fmod($x; $y);
def hypot(x; y): y as $y | x as $x | evtap_hypot($x; $y);
def ldexp(x; y): y as $y | x as $x | evtap_ldexp($x; $y);
def nextafter(x; y): y as $y | x as $x | evtap_nextafter($x; $y);
def nexttoward(x; y): nextafter(x; y);
def scalb(x; y): y as $y | x as $x | $x * evtap_pow(2; $y);
def scalbln(x; y): y as $y | x as $x | evtap_scalbln($x; $y);
def drem(x; y):
  y as $y | x as $x | evtap_remainder($x; $y) | if . == 0 then evtap_copysign(.; $x) else . end;
def fma(x; y; z): z as $z | y as $y | x as $x | evtap_fma($x; $y; $z);
def gamma: lgamma;
def nearbyint: rint;
def pow10: exp10;
def logb:
  if . == 0 then -infinite elif isinfinite then infinite elif isnan then . else ilogb + 0 end;
def significand:
  if isinfinite or isnan or . == 0 then . else scalbln(.; -ilogb) end;

# Dates. A broken down time is [year, month from 0, day, hours, minutes, seconds, …].
def mktime:
  # The days from 1970-01-01 to a day of a month, which counts from 0 and may exceed 11.
  def days($years; $months; $day):
    ($years + ($months / 12 | floor)) as $year
    | ($months % 12 + 12) % 12 as $month
    | (if $month < 2 then $year - 1 else $year end) as $year_from_march
    | ($year_from_march / 400 | floor) as $era
    | ($year_from_march - $era * 400) as $year_of_era
    | ((153 * (($month + 10) % 12) + 2) / 5 | floor) as $day_of_month
    | $era * 146097 + $year_of_era * 365 + ($year_of_era / 4 | floor)
      - ($year_of_era / 100 | floor) + $day_of_month + $day - 1 - 719468;
  if type != "array" then error("mktime requires array inputs")
  elif any(.[:6][]; type != "number") then error("mktime requires parsed datetime inputs")
  else
    [.[:6][] | trunc] as $given
    | ($given + ([1900, 0, 0, 0, 0, 0][$given | length:])) as [$y, $month, $d, $h, $m, $s]
    | days($y; $month; $d) * 86400 + $h * 3600 + $m * 60 + $s
    | if . == -1 then error("invalid gmtime representation") else . end
  end;
def evtap_seconds:
  trunc | if . >= -62135596800 and . <= 253402207200 then .
  else error("error converting number of seconds since epoch to datetime") end;
def evtap_broken_down(convert):
  (. - floor) as $fraction | evtap_seconds | convert | .[5] += $fraction;
def gmtime:
  if type != "number" then error("gmtime() requires a number")
  else evtap_broken_down(evtap_gmtime) end;
def localtime:
  if type != "number" then error("localtime() requires a number")
  else evtap_broken_down(evtap_localtime) end;
# The time as a number. Years before 1000 have fewer than four digits on some systems.
def evtap_time($name):
  if type == "number" then .
  elif type == "array" and all(.[:6][]; type == "number") then mktime
  else error("\($name)/1 requires parsed datetime inputs") end
  | evtap_seconds
  | if . < -30610224000 then error("\($name)/1 does not support this year") else . end;
# The format, if its conversions give the same text on all systems.
def evtap_format($name):
  if type != "string" then error("\($name)/1 requires a string format")
  elif gsub("%%"; "") | test("%([^aAbBCdDeFgGhHIjklmMnpPrRsSTtuUVwWyYzZ]|$)")
  then error("\($name)/1 does not support this format")
  else . end;
def strftime($format):
  evtap_time("strftime") as $time
  | $format
  | evtap_format("strftime")
  | if test("%Z") then error("strftime/1 does not support this format") else . end
  | . as $checked | $time | evtap_strftime($checked);
def strflocaltime($format):
  (type == "number") as $is_absolute
  | evtap_time("strflocaltime") as $time
  | ($format | evtap_format("strflocaltime")) as $checked
  | $time
  | if $is_absolute then evtap_strflocaltime($checked) else evtap_strftime($checked) end;
def strptime($format):
  if type != "string" or ($format | type) != "string" then
    error("strptime/1 requires string inputs and arguments")
  else . as $date | try evtap_strptime($format)
    catch error("date \"\($date)\" does not match format \"\($format)\"") end;
def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");
def todate: todateiso8601;
def fromdate: fromdateiso8601;
