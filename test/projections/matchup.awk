# qmailanalog's matchup as its reports need it, made from the description of its lines alone: reads qmail-send's
# log with decimal seconds in front, prints finished letters (m) and attempts (d).
$2 == "new" && $3 == "msg" { birth[$4] = $1; next }
$2 == "info" && $3 == "msg" {
  m = substr($4, 1, length($4) - 1)
  bytes[m] = $6; sender[m] = tolower($8); qp[m] = $10; uid[m] = $12
  successes[m] = failures[m] = deferrals[m] = 0
  next
}
$2 == "starting" && $3 == "delivery" {
  d = substr($4, 1, length($4) - 1)
  letter[d] = $6; start[d] = $1; recipient[d] = $8 "." tolower($9)
  next
}
$2 == "delivery" {
  d = substr($3, 1, length($3) - 1)
  m = letter[d]
  if ($4 == "success:") { result = "k"; successes[m]++ }
  else if ($4 == "failure:") { result = "d"; failures[m]++ }
  else { result = "z"; deferrals[m]++ }
  print "d", result, birth[m], start[d], $1, bytes[m], sender[m], recipient[d], qp[m], uid[m], $5 == "" ? "-" : $5
  next
}
$2 == "end" && $3 == "msg" {
  m = $4
  print "m", birth[m], $1, bytes[m], successes[m], failures[m], deferrals[m], sender[m], qp[m], uid[m]
}
