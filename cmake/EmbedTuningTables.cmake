# cmake -DOUTPUT=FILE.inc -DTABLES=a.json;b.json -P EmbedTuningTables.cmake
# Writes initializers {name, text}, one per table. The text is cut into string
# literals, as compilers need not take long ones.
set(inc "")
foreach(table ${TABLES})
  get_filename_component(chip ${table} NAME_WE)
  file(READ ${table} text)
  if(text MATCHES "\\)table\"")
    message(FATAL_ERROR "${table}: must not contain )table\"")
  endif()
  string(REPLACE "\n" ")table\"\n  R\"table(\n" text "${text}")
  string(APPEND inc
         "{\"the tuning table of ${chip}\",\n  R\"table(${text})table\"},\n")
endforeach()
file(WRITE ${OUTPUT} "${inc}")
