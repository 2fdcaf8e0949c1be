# The packages of server and agent, .deb and .rpm, by CPack: tools/package.sh builds both programs
# and then these. The agent is the static one: nothing of the distribution is asked for.

set(TENKEN_STATIC_AGENT ${CMAKE_SOURCE_DIR}/build/static/tenken-agent
  CACHE FILEPATH "the agent that is packaged")
set(packaging ${CMAKE_SOURCE_DIR}/packaging)
set(generated ${CMAKE_BINARY_DIR}/packaging)

# What each program or script can say itself is said by it, so that it is said once.
function(tenken_generate out)
  cmake_parse_arguments(arg "" "" "COMMAND;DEPENDS" ${ARGN})
  add_custom_command(OUTPUT ${generated}/${out} COMMAND ${arg_COMMAND} > ${generated}/${out}
    DEPENDS ${arg_DEPENDS} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY TENKEN_PACKAGED ${generated}/${out})
endfunction()
file(MAKE_DIRECTORY ${generated})
foreach(shell bash zsh fish)
  tenken_generate(completion.${shell} COMMAND $<TARGET_FILE:tenken> completion ${shell} DEPENDS tenken)
endforeach()
tenken_generate(tenken-agent.service
  COMMAND sh ${CMAKE_SOURCE_DIR}/scripts/agent/install.sh --print unit --bin /usr/bin
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/agent/install.sh)
tenken_generate(tenken.service COMMAND sed s,/usr/local/bin,/usr/bin, ${packaging}/tenken.service
  DEPENDS ${packaging}/tenken.service)
foreach(page tenken.1 tenken-agent.8)
  tenken_generate(${page}.gz COMMAND gzip -9nc ${packaging}/${page} DEPENDS ${packaging}/${page})
endforeach()
get_property(files GLOBAL PROPERTY TENKEN_PACKAGED)
add_custom_target(packaged_files ALL DEPENDS ${files})

set(units lib/systemd/system)
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install(TARGETS tenken RUNTIME DESTINATION bin COMPONENT server)
install(FILES ${generated}/tenken.service DESTINATION ${units} COMPONENT server)
install(FILES ${packaging}/serve.conf DESTINATION /etc/tenken COMPONENT server)
install(FILES ${generated}/completion.bash DESTINATION share/bash-completion/completions
  RENAME tenken COMPONENT server)
install(FILES ${generated}/completion.zsh DESTINATION share/zsh/vendor-completions
  RENAME _tenken COMPONENT server)
install(FILES ${generated}/completion.fish DESTINATION share/fish/vendor_completions.d
  RENAME tenken.fish COMPONENT server)
install(FILES ${generated}/tenken.1.gz DESTINATION share/man/man1 COMPONENT server)
install(FILES README.md CHANGELOG.md NOTICE DESTINATION share/doc/tenken COMPONENT server)
install(FILES LICENSE DESTINATION share/doc/tenken RENAME copyright COMPONENT server)
install(FILES docs/serve.md docs/operating.md docs/agent.md docs/api.md docs/database.md
  docs/exports.md docs/matching.md docs/openapi.yaml DESTINATION share/doc/tenken COMPONENT server)

install(PROGRAMS ${TENKEN_STATIC_AGENT} DESTINATION bin COMPONENT agent)
install(FILES ${generated}/tenken-agent.service DESTINATION ${units} COMPONENT agent)
install(FILES scripts/agent/install.sh DESTINATION share/tenken-agent COMPONENT agent)
install(FILES ${generated}/tenken-agent.8.gz DESTINATION share/man/man8 COMPONENT agent)
install(FILES NOTICE docs/agent.md DESTINATION share/doc/tenken-agent COMPONENT agent)
install(FILES LICENSE DESTINATION share/doc/tenken-agent RENAME copyright COMPONENT agent)

set(CPACK_GENERATOR DEB RPM)
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_SOURCE_DIR}/build/packages)
set(CPACK_COMPONENTS_ALL server agent)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR OFF)
set(CPACK_PACKAGE_NAME tenken)
set(CPACK_PACKAGE_VENDOR "tenken")
set(CPACK_PACKAGE_CONTACT "tenken maintainers <maintainers@tenken.invalid>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_COMPONENT_SERVER_DESCRIPTION
  "finds known vulnerabilities of hosts: scanner and server
Matches what is installed on hosts against the advisories of their
distributions, says why, and says aloud what it could not decide.
The server keeps the findings of a fleet and answers the API of
AWS clients for Amazon Inspector.")
set(CPACK_COMPONENT_AGENT_DESCRIPTION
  "reports what is installed on this host to a tenken server
Watches the package databases and sends what changed. It opens
connections to its server only, never listens, runs nothing that the
server sends, and needs no library of the host.")

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_SERVER_PACKAGE_NAME tenken)
set(CPACK_DEBIAN_AGENT_PACKAGE_NAME tenken-agent)
# Loaded at run time, so that no start costs it; found by name all the same.
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS
  "libc6 (>= 2.34), passwd, libssl3 | libssl3t64, libcurl4 | libcurl4t64, ca-certificates")
set(CPACK_DEBIAN_SERVER_PACKAGE_RECOMMENDS "libpq5")
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
  ${packaging}/deb/server/conffiles ${packaging}/deb/server/postinst
  ${packaging}/deb/server/prerm ${packaging}/deb/server/postrm)
set(CPACK_DEBIAN_AGENT_PACKAGE_CONTROL_EXTRA
  ${packaging}/deb/agent/postinst ${packaging}/deb/agent/prerm ${packaging}/deb/agent/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_RPM_COMPONENT_INSTALL ON)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_PACKAGE_RELEASE 1)
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _build_id_links none")
set(CPACK_RPM_SERVER_PACKAGE_NAME tenken)
set(CPACK_RPM_AGENT_PACKAGE_NAME tenken-agent)
set(CPACK_RPM_SERVER_PACKAGE_SUMMARY "finds known vulnerabilities of hosts: scanner and server")
set(CPACK_RPM_AGENT_PACKAGE_SUMMARY "reports what is installed on this host to a tenken server")
set(CPACK_RPM_SERVER_PACKAGE_AUTOREQ OFF)
set(CPACK_RPM_AGENT_PACKAGE_AUTOREQ OFF)
set(CPACK_RPM_PACKAGE_AUTOPROV OFF)
set(CPACK_RPM_SERVER_PACKAGE_REQUIRES
  "libc.so.6(GLIBC_2.34)(64bit), libssl.so.3()(64bit), libcurl.so.4()(64bit), ca-certificates")
set(CPACK_RPM_SERVER_PACKAGE_REQUIRES_PRE "shadow-utils")
set(CPACK_RPM_SERVER_PACKAGE_SUGGESTS "libpq.so.5()(64bit)")
set(CPACK_RPM_SERVER_USER_FILELIST "%config(noreplace) /etc/tenken/serve.conf")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
  /usr/lib /usr/lib/systemd /usr/lib/systemd/system /lib /lib/systemd /lib/systemd/system
  /usr/share/bash-completion /usr/share/bash-completion/completions
  /usr/share/zsh /usr/share/zsh/vendor-completions /usr/share/fish /usr/share/fish/vendor_completions.d
  /usr/share/man /usr/share/man/man1 /usr/share/man/man8 /usr/share/doc /etc)
foreach(component SERVER AGENT)
  string(TOLOWER ${component} folder)
  set(CPACK_RPM_${component}_POST_INSTALL_SCRIPT_FILE ${packaging}/rpm/${folder}/post)
  set(CPACK_RPM_${component}_PRE_UNINSTALL_SCRIPT_FILE ${packaging}/rpm/${folder}/preun)
  set(CPACK_RPM_${component}_POST_UNINSTALL_SCRIPT_FILE ${packaging}/rpm/${folder}/postun)
endforeach()
set(CPACK_RPM_SERVER_PRE_INSTALL_SCRIPT_FILE ${packaging}/rpm/server/pre)
include(CPack)
